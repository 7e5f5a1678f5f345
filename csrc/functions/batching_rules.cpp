// A rule an op family; what has none is recorded for one example after the other.
#include "functions/batching_rules.h"

#include <algorithm>
#include <numeric>

#include "engine/index.h"
#include "functions/indexing.h"
#include "support/check.h"

namespace lamina::functions {

namespace {

DimVector with_batch_axis(Dims axes) {
  DimVector moved{0};
  for (std::int64_t axis : axes) moved.push_back(axis + 1);
  return moved;
}

// Starts and steps of a slice: all of the batch.
DimVector whole_batch(Dims starts_and_steps) {
  std::size_t rank = starts_and_steps.size() / 2;
  DimVector both{0};
  both.insert(both.end(), starts_and_steps.begin(), starts_and_steps.begin() + static_cast<std::ptrdiff_t>(rank));
  both.push_back(1);
  both.insert(both.end(), starts_and_steps.begin() + static_cast<std::ptrdiff_t>(rank), starts_and_steps.end());
  return both;
}

ValuePtr elementwise(Example& e) {
  Op op = op_of(e.value);
  int rank = e.value->shape->rank();
  std::vector<ValuePtr> aligned;
  std::vector<Value*> operands;
  for (std::size_t i = 0; i < e.operands.size(); ++i) {
    aligned.push_back(e.aligned(i, rank));
    operands.push_back(aligned.back().get());
  }
  // Integer divisors were not looked at while they had no numbers.
  bool divides = op == Op::floor_divide || op == Op::remainder || op == Op::fmod;
  if (divides && !is_floating(e.value->dtype) && engine::has_zero(e[1].value))
    fail(ErrorKind::kRuntime, "ZeroDivisionError");
  return record(op, operands, e.shape(), e.value->dtype);
}

ValuePtr reduce(Example& e) {
  DimVector axes = with_batch_axis(e.value->attribute->values());
  axes.erase(axes.begin());
  return record(op_of(e.value), {e[0].value.get()}, e.shape(), e.value->dtype, Attribute::of(axes));
}

// Along the last axis: a 0-d example has one for the time being.
ValuePtr along_last_axis(Example& e) {
  if (e[0].shape->rank() > 0)
    return record(op_of(e.value), {e[0].value.get()}, e.shape(), e.value->dtype, e.value->attribute);
  ValuePtr column = build::reshape(e[0].value, Shape::of({e.size, 1}));
  const Shape* shape = op_of(e.value) == Op::logsumexp ? e.shape() : column->shape;
  return build::reshape(record(op_of(e.value), {column.get()}, shape, e.value->dtype, e.value->attribute), e.shape());
}

ValuePtr standardize(Example& e) {
  const Attribute* eps = e.value->attribute;
  return e.operands.size() == 1 ? build::standardize(e[0].value, eps)
                                : build::standardize_input(e.spread(0), e.spread(1), eps);
}

ValuePtr matmul(Example& e) {
  int rank = e.value->shape->rank();
  ValuePtr a = e.aligned(0, rank), b = e.aligned(1, rank);
  return record(Op::matmul, {a.get(), b.get()}, e.shape(), e.value->dtype, e.value->attribute);
}

ValuePtr view(Example& e) {
  const Attribute* attribute = e.value->attribute;
  switch (op_of(e.value)) {
    case Op::reshape:
      return build::reshape(e[0].value, e.shape());
    case Op::permute:
      return build::permute(e[0].value, with_batch_axis(attribute->values()));
    case Op::expand:
      return build::expand(e.aligned(0, e.value->shape->rank()), e.shape());
    case Op::slice:
      return record(Op::slice, {e[0].value.get()}, e.shape(), e.value->dtype,
                    Attribute::of(whole_batch(attribute->values())));
    case Op::as_strided: {  // one example lies behind the other
      DimVector strides(attribute->values().begin(), attribute->values().end());
      strides.insert(strides.begin() + 1, e.value->inputs[0]->shape->numel());
      return build::as_strided(e[0].value, e.shape(), Attribute::of(strides));
    }
    case Op::bitcast:
      return build::bitcast(e[0].value, e.value->dtype);
    case Op::view_as_real:
      return build::view_as_real(e[0].value);
    case Op::view_as_complex:
      return build::view_as_complex(e[0].value);
    case Op::detach:
      return build::detach(e[0].value);
    default:
      throw std::logic_error(text("no batch of ", row(e.value->op).name));
  }
}

ValuePtr slice_update(Example& e) {
  return build::slice_update(e.spread(0), e.spread(1), Attribute::of(whole_batch(e.value->attribute->values())));
}

ValuePtr cat(Example& e) {
  std::vector<ValuePtr> parts;
  for (std::size_t i = 0; i < e.operands.size(); ++i) parts.push_back(e.spread(i));
  return build::cat(parts, static_cast<int>((*e.value->attribute)[0]) + 1);
}

// Positions are checked now that they have numbers (negative ones were wrapped when the op was recorded).
ValuePtr checked_positions(const ValuePtr& index, std::int64_t size) {
  return index->requires_grad() ? index : engine::checked_index(index, size, 0, false);
}

ValuePtr index(Example& e) {
  int axis = static_cast<int>((*e.value->attribute)[0]) + 1;
  bool flat = e.value->shape->rank() == 0;  // 0-d examples have an axis for the time being
  auto operand = [&](std::size_t i) {
    ValuePtr x = e.spread(i);
    return flat ? build::reshape(x, Shape::of({e.size, 1})) : x;
  };
  ValuePtr x = operand(0), places = operand(1);
  places = checked_positions(places, (*x->shape)[axis]);
  if (op_of(e.value) == Op::gather) return build::reshape(build::gather(x, axis, places), e.shape());
  ValuePtr source = operand(2);
  ValuePtr result = op_of(e.value) == Op::scatter ? build::scatter(x, axis, places, source)
                                                  : build::scatter_add(x, axis, places, source);
  return build::reshape(result, e.shape());
}

// The rows of all examples' matrices, one below the other, and where each example's begin.
struct StackedRows {
  ValuePtr matrix, index;
  std::int64_t count;  // rows asked for, of one example

  explicit StackedRows(Example& e) {
    const Shape& shape = *e[0].shape;
    count = (*e[1].shape)[0];
    ValuePtr places = checked_positions(e.spread(1), shape[0]);
    if (!e[0].batched && op_of(e.value) == Op::take_rows) {
      matrix = e[0].value;
    } else {
      matrix = build::reshape(e.spread(0), Shape::of({e.size * shape[0], shape[1]}));
      ValuePtr first = row_starts(e.size, shape[0], places->device());
      places = build::add(places, build::reshape(first, Shape::of({e.size, 1})));
    }
    index = build::reshape(places, Shape::of({e.size * count}));
  }
};

ValuePtr take_rows(Example& e) {
  StackedRows stacked(e);
  return build::reshape(build::take_rows(stacked.matrix, stacked.index), e.shape());
}

ValuePtr put_rows(Example& e) {
  StackedRows stacked(e);
  ValuePtr rows = build::reshape(e.spread(2), Shape::of({e.size * stacked.count, (*e[0].shape)[1]}));
  bool accumulate = (*e.value->attribute)[0] != 0;
  return build::reshape(build::put_rows(stacked.matrix, stacked.index, rows, accumulate), e.shape());
}

// Examples are as many batches.
ValuePtr weighed(Example& e) {
  const auto folded = [&](std::size_t i) {
    const ValuePtr x = e.spread(i);
    DimVector dims(x->shape->dims().begin() + 1, x->shape->dims().end());
    dims[0] *= e.size;
    return build::reshape(x, Shape::of(dims));
  };
  const ValuePtr first = folded(0), index = folded(1), last = folded(2);
  ValuePtr result = op_of(e.value) == Op::weighted_take ? build::weighted_take(first, index, last)
                    : op_of(e.value) == Op::weighted_put
                        ? build::weighted_put(first, index, last, (*e.value->attribute)[0])
                        : build::weighted_dots(first, index, last);
  return build::reshape(result, e.shape());
}

// In one row that all share, or in the row of each example, or in its rows.
ValuePtr search(Example& e) {
  const bool behind_equals = (*e.value->attribute)[0] != 0, one_row = e[0].shape->rank() == 1;
  if (one_row && !e[0].batched) return build::search(e[0].value, e[1].value, behind_equals);
  ValuePtr numbers = e.spread(1);
  if (one_row) numbers = build::reshape(numbers, Shape::of({e.size, e.value->shape->numel()}));
  return build::reshape(build::search(e.spread(0), numbers, behind_equals), e.shape());
}

ValuePtr solve_triangle(Example& e) {
  const Attribute& flags = *e.value->attribute;
  return build::solve_triangle(e.spread(0), e.spread(1), flags[0] != 0, flags[1] != 0, flags[2] != 0);
}

// Right for every op whose result depends on its operands alone.
ValuePtr one_by_one(Example& e) {
  std::vector<ValuePtr> results;
  for (std::int64_t number = 0; number < e.size; ++number) {
    std::vector<ValuePtr> kept;
    std::vector<Value*> operands;
    for (Example::Operand& operand : e.operands) {
      kept.push_back(operand.batched ? build::reshape(build::narrow(operand.value, 0, number, 1), operand.shape)
                                     : operand.value);
      operands.push_back(kept.back().get());
    }
    ValuePtr result = record(op_of(e.value), operands, e.value->shape, e.value->dtype, e.value->attribute);
    results.push_back(build::reshape(result, with_batch(1, e.value->shape)));
  }
  return build::cat(results, 0);
}

}  // namespace

const Shape* with_batch(std::int64_t size, const Shape* shape) {
  DimVector dims{size};
  dims.insert(dims.end(), shape->dims().begin(), shape->dims().end());
  return Shape::of(dims);
}

const Shape* Example::shape() const { return with_batch(size, value->shape); }

ValuePtr Example::aligned(std::size_t i, int rank) const {
  const Operand& operand = operands[i];
  if (!operand.batched || operand.shape->rank() == rank) return operand.value;
  DimVector dims(static_cast<std::size_t>(1 + rank - operand.shape->rank()), 1);
  dims[0] = size;
  dims.insert(dims.end(), operand.shape->dims().begin(), operand.shape->dims().end());
  return build::reshape(operand.value, Shape::of(dims));
}

ValuePtr Example::spread(std::size_t i) const {
  const Operand& operand = operands[i];
  return operand.batched ? operand.value : build::expand(operand.value, with_batch(size, operand.shape));
}

ValuePtr record_batch(Example& example) {
  switch (row(example.value->op).kernel.family) {
    case Family::kElementwise:
    case Family::kCast:
    case Family::kCopy:
      return elementwise(example);
    case Family::kReduce:
      return reduce(example);
    case Family::kRowwise:
    case Family::kScan:
    case Family::kArgsort:
    case Family::kFourier:
    case Family::kMaxPool:
    case Family::kWindowSums:  // along the last two, which every example has
    case Family::kExtend:
      return along_last_axis(example);
    case Family::kStandardize:
    case Family::kStandardizeInput:
      return standardize(example);
    case Family::kSearch:
      return search(example);
    case Family::kMatmul:
      return matmul(example);
    case Family::kSolveTriangle:
      return solve_triangle(example);
    case Family::kView:
      return view(example);
    case Family::kSliceUpdate:
      return slice_update(example);
    case Family::kCat:
      return cat(example);
    case Family::kGather:
    case Family::kScatter:
    case Family::kScatterAdd:
      return index(example);
    case Family::kTakeRows:
      return take_rows(example);
    case Family::kPutRows:
      return put_rows(example);
    case Family::kWeighed:
      return weighed(example);
    default:
      return one_by_one(example);
  }
}

}  // namespace lamina::functions

// Public functions that address elements by index tensors: everything becomes a gather or scatter along one axis, or a
// choice of a matrix's rows.
#include "functions/indexing.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "engine/flush.h"
#include "engine/index.h"
#include "functions/axes.h"
#include "functions/pointwise.h"
#include "ops/build.h"
#include "ops/meta.h"

namespace lamina::functions {

using namespace build;

namespace {

void check_integer_index(const char* name, const ValuePtr& index) {
  check(is_integral(index->dtype), name, "(): Expected dtype int32/int64 for index, got ", name_of(index->dtype));
}

// The index's shape must fit within x's, but along the axis.
void check_fits(const char* name, const Shape* index, const Shape* x, int axis) {
  check(std::max(index->rank(), 1) == std::max(x->rank(), 1),
        "Index tensor must have the same number of dimensions as ", name, " tensor");
  for (int other = 0; other < index->rank(); ++other)
    check(other == axis || (*index)[other] <= (*x)[other], "Size does not match at dimension ", other,
          " expected index ", to_string(index->dims(), '[', ']'), " to be no larger than ", name, " ",
          to_string(x->dims(), '[', ']'), " apart from dimension ", axis);
}

// How an advanced index rearranges x: a matrix whose rows are the places that the indexed axes address together.
struct Rows {
  DimVector order;          // x's axes, the indexed ones first
  std::int64_t places = 1;  // product of the indexed axes' sizes
  std::int64_t width = 1;   // product of the other axes' sizes
  DimVector other_dims;     // their sizes
  const Shape* index_shape = nullptr;
  ValuePtr position;  // flat int64 positions, one for each element of index_shape
  int insert_at = 0;  // where index_shape stands among other_dims in the result
};

// Positions along an axis, or along the several that a mask covers, taken as one.
struct Chosen {
  ValuePtr positions;
  int axis, axes;
  std::int64_t size;
};

Chosen chosen_along(const Shape* shape, int axis, const ValuePtr& index) {
  if (index->dtype != DType::kBool) return {index, axis, 1, (*shape)[axis]};
  const std::int64_t numel = index->shape->numel();
  ValuePtr positions = engine::nonzero(build::reshape(index, Shape::of({numel})));
  return {build::reshape(positions, Shape::of({positions->shape->numel()})), axis, index->shape->rank(), numel};
}

Rows arrange(const ValuePtr& x, const Indices& indices) {
  Rows rows;
  std::vector<Chosen> chosen;
  DimVector indexed, other;
  bool adjacent = true;
  for (int axis = 0; axis < x->shape->rank();) {
    const bool here = axis < static_cast<int>(indices.size()) && indices[static_cast<std::size_t>(axis)];
    if (!here) {
      other.push_back(axis++);
      continue;
    }
    if (!indexed.empty() && indexed.back() != axis - 1) adjacent = false;
    chosen.push_back(chosen_along(x->shape, axis, indices[static_cast<std::size_t>(axis)]));
    for (int i = 0; i < chosen.back().axes; ++i) indexed.push_back(axis++);
  }
  check(!indexed.empty(), "indexing by tensors needs at least one index tensor");
  rows.index_shape = chosen[0].positions->shape;
  try {
    for (const Chosen& one : chosen) rows.index_shape = broadcast(rows.index_shape, one.positions->shape);
  } catch (const Error&) {
    std::string shapes;
    for (const Chosen& one : chosen)
      for (int i = 0; i < one.axes; ++i)
        shapes += (shapes.empty() ? "" : ", ") + to_string(one.positions->shape->dims(), '[', ']');
    fail(ErrorKind::kIndex, "shape mismatch: indexing tensors could not be broadcast together with shapes ", shapes);
  }
  for (const auto& [positions, axis, axes, size] : chosen) {
    if (size == 0 && rows.index_shape->numel() > 0)
      fail(ErrorKind::kIndex, "index is out of bounds for dimension with size 0");
    // A mask's positions are places of it.
    ValuePtr wrapped = axes > 1 ? positions : engine::checked_index(positions, size, axis, true);
    rows.position =
        rows.position ? build::add(build::mul(rows.position, make_scalar(size, DType::kInt64)), wrapped) : wrapped;
    rows.places *= size;
  }
  rows.position =
      build::reshape(build::expand(rows.position, rows.index_shape), Shape::of({rows.index_shape->numel()}));
  rows.order = indexed;
  rows.order.insert(rows.order.end(), other.begin(), other.end());
  for (std::int64_t axis : other) {
    rows.other_dims.push_back((*x->shape)[static_cast<int>(axis)]);
    rows.width *= rows.other_dims.back();
  }
  rows.insert_at = adjacent ? static_cast<int>(indexed[0]) : 0;
  return rows;
}

// The result's shape before the index's axes move to their place: index axes first.
const Shape* result_dims(const Rows& rows) {
  DimVector dims(rows.index_shape->dims().begin(), rows.index_shape->dims().end());
  dims.insert(dims.end(), rows.other_dims.begin(), rows.other_dims.end());
  return Shape::of(dims);
}

// The permutation that moves the leading index axes to insert_at.
DimVector landing(const Rows& rows) {
  DimVector order;
  int index_rank = rows.index_shape->rank(), total = index_rank + static_cast<int>(rows.other_dims.size());
  for (int i = 0; i < rows.insert_at; ++i) order.push_back(index_rank + i);
  for (int i = 0; i < index_rank; ++i) order.push_back(i);
  for (int i = index_rank + rows.insert_at; i < total; ++i) order.push_back(i);
  return order;
}

DimVector inverse_of(const DimVector& order) {
  DimVector inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return inverse;
}

ValuePtr as_rows(const ValuePtr& x, const Rows& rows) {
  return build::reshape(build::permute(x, rows.order), Shape::of({rows.places, rows.width}));
}

// One index behind other axes, where what lies behind it is long enough to be moved piece by piece: x as it lies is a
// matrix of such pieces, and no axis moves to the front and back. Else x as it is arranged.
struct Pieces {
  const Shape* matrix;
  ValuePtr position;  // of the rows
};

std::optional<Pieces> lying_behind(const ValuePtr& x, const Rows& rows) {
  constexpr std::int64_t kShortest = 8;
  const auto first = rows.order.begin();
  const std::int64_t axes = static_cast<std::int64_t>(rows.order.size() - rows.other_dims.size());
  const bool together = rows.order[static_cast<std::size_t>(axes - 1)] == *first + axes - 1;
  if (!together || rows.position->has(kPerExample)) return std::nullopt;
  const std::span<const std::int64_t> dims = x->shape->dims();
  const auto product = [](auto from, auto end) {
    return std::accumulate(from, end, std::int64_t{1}, std::multiplies<>());
  };
  const std::int64_t before = product(dims.begin(), dims.begin() + *first);
  const std::int64_t behind = product(dims.begin() + *first + axes, dims.end());
  if (before <= 1 || behind < kShortest) return std::nullopt;
  ValuePtr starts = build::reshape(row_starts(before, rows.places, rows.position->device()), Shape::of({before, 1}));
  ValuePtr places = build::reshape(build::add(starts, rows.position), Shape::of({before * rows.index_shape->numel()}));
  return Pieces{Shape::of({before * rows.places, behind}), std::move(places)};
}

// The shape of what an index chooses.
const Shape* landed(const Rows& rows) {
  const Shape* plain = result_dims(rows);
  DimVector dims;
  for (std::int64_t axis : landing(rows)) dims.push_back((*plain)[static_cast<int>(axis)]);
  return Shape::of(dims);
}

// Where one mask says what one number fills, nothing is looked for: x, or the number.
ValuePtr filled(const ValuePtr& x, const Indices& indices, const ValuePtr& number) {
  const auto is_given = [](const ValuePtr& index) { return index != nullptr; };
  if (number->shape->numel() != 1 || std::ranges::count_if(indices, is_given) != 1) return nullptr;
  const auto mask = std::ranges::find_if(indices, is_given);
  if ((*mask)->dtype != DType::kBool) return nullptr;
  DimVector dims((*mask)->shape->dims().begin(), (*mask)->shape->dims().end());
  dims.resize(static_cast<std::size_t>(x->shape->rank() - (mask - indices.begin())), 1);
  return build::where(build::reshape(*mask, Shape::of(dims)), build::reshape(number, Shape::of({})), x);
}

}  // namespace

ValuePtr row_starts(std::int64_t count, std::int64_t length, Device device) {
  ValuePtr lengths = full(Shape::of({count}), static_cast<double>(length), DType::kInt64, device);
  return build::sub(rowwise(Op::cumsum, lengths), lengths);
}

ValuePtr gather(const ValuePtr& x, std::int64_t axis, const ValuePtr& index) {
  check_integer_index("gather", index);
  int wrapped = wrap_axis(axis, x->shape->rank());
  if (index->shape->numel() == 0) {  // of any shape
    ValuePtr nothing = build::narrow(build::reshape(x, Shape::of({x->shape->numel()})), 0, 0, 0);
    return labelled(build::clone(build::reshape(nothing, index->shape)), "Gather");
  }
  check_fits("input", index->shape, x->shape, wrapped);
  if (x->shape->rank() == 0 || index->shape->rank() == 0) {
    ValuePtr line = build::reshape(x, Shape::of({x->shape->numel()}));
    ValuePtr places = build::reshape(index, Shape::of({index->shape->numel()}));
    return build::reshape(gather(line, 0, places), index->shape);
  }
  ValuePtr position = engine::checked_index(index, (*x->shape)[wrapped], wrapped, false, ErrorKind::kRuntime);
  return build::gather(x, wrapped, position);
}

ValuePtr scatter(const ValuePtr& x, std::int64_t axis, const ValuePtr& index, const Operand& source, bool add) {
  check_integer_index("scatter", index);
  int wrapped = wrap_axis(axis, x->shape->rank());
  ValuePtr from = source.is_number() ? build::expand(to_device(source.stored_as(x->dtype), x->device()), index->shape)
                                     : source.value;
  check(from->dtype == x->dtype, "scatter(): Expected self.dtype to be equal to src.dtype");
  if (index->shape->numel() == 0) {  // of any shape; the source's gradient is 0
    auto first = [](const ValuePtr& v, std::int64_t count) {
      return build::narrow(build::reshape(v, Shape::of({v->shape->numel()})), 0, 0, count);
    };
    ValuePtr nowhere = build::cast(first(index, 0), DType::kInt64);
    ValuePtr line = first(x, x->shape->numel()), nothing = first(from, 0);
    ValuePtr same = add ? build::scatter_add(line, 0, nowhere, nothing) : build::scatter(line, 0, nowhere, nothing);
    return build::reshape(same, x->shape);
  }
  if (x->shape->rank() == 0 || index->shape->rank() == 0) {
    auto line = [](const ValuePtr& v) { return build::reshape(v, Shape::of({v->shape->numel()})); };
    return build::reshape(scatter(line(x), 0, line(index), line(from), add), x->shape);
  }
  check_fits("self", index->shape, x->shape, wrapped);
  if (from->shape->rank() == 0) from = build::reshape(from, Shape::of({1}));
  check_fits("src", index->shape, from->shape, -1);
  for (int other = 0; other < index->shape->rank(); ++other)  // src may be larger than the index
    if ((*from->shape)[other] != (*index->shape)[other]) from = build::narrow(from, other, 0, (*index->shape)[other]);
  ValuePtr position = engine::checked_index(index, (*x->shape)[wrapped], wrapped, false, ErrorKind::kRuntime);
  return add ? build::scatter_add(x, wrapped, position, from) : build::scatter(x, wrapped, position, from);
}

ValuePtr index_select(const ValuePtr& x, std::int64_t axis, const ValuePtr& index) {
  check_integer_index("index_select", index);
  check(index->shape->rank() <= 1,
        "index_select(): Index is supposed to be a vector, but got dim: ", index->shape->rank());
  if (x->shape->rank() == 0)
    return build::reshape(index_select(build::reshape(x, Shape::of({1})), axis, index), x->shape);
  int wrapped = wrap_axis(axis, x->shape->rank());
  check((*x->shape)[wrapped] > 0 || index->shape->numel() == 0,
        "index_select(): self indexing axis dim should be positive");
  const bool no_numbers = x->shape->numel() == 0;
  ValuePtr position;
  try {
    position = engine::checked_index(index, (*x->shape)[wrapped], wrapped, false);
  } catch (const Error& error) {
    check(!no_numbers, "index_select(): INDICES element is out of DATA bounds");
    fail(error.kind(), "index out of range in self: ", error.what());
  }
  Indices indices(static_cast<std::size_t>(wrapped) + 1);
  indices.back() = build::reshape(position, Shape::of({index->shape->numel()}));
  return labelled(functions::index(x, indices), "IndexSelect");
}

ValuePtr index(const ValuePtr& x, const Indices& indices) {
  Rows rows = arrange(x, indices);
  if (const auto pieces = lying_behind(x, rows))
    return labelled(build::reshape(take_rows(build::reshape(x, pieces->matrix), pieces->position), landed(rows)),
                    "Index");
  ValuePtr taken = build::reshape(take_rows(as_rows(x, rows), rows.position), result_dims(rows));
  return labelled(build::permute(taken, landing(rows)), "Index");
}

ValuePtr index_put(const ValuePtr& x, const Indices& indices, const ValuePtr& source, bool accumulate) {
  if (!accumulate && source->dtype == x->dtype)
    if (ValuePtr all = filled(x, indices, source)) return labelled(std::move(all), "IndexPut");
  Rows rows = arrange(x, indices);
  DimVector order = landing(rows);
  const Shape* target = landed(rows);
  // Leading axes of size 1 of the source are superfluous.
  ValuePtr from = source;
  while (from->shape->rank() > target->rank() && (*from->shape)[0] == 1)
    from = build::reshape(from, Shape::of(from->shape->dims().subspan(1)));
  check(is_expandable(from->shape->dims(), target->dims()), "shape mismatch: value tensor of shape ",
        to_string(source->shape->dims(), '[', ']'), " cannot be broadcast to indexing result of shape ",
        to_string(target->dims(), '[', ']'));
  check(source->dtype == x->dtype, "Index put requires the source and destination dtypes match, got ",
        scalar_name(x->dtype), " for the destination and ", scalar_name(source->dtype), " for the source.");
  from = build::expand(from, target);
  if (const auto pieces = lying_behind(x, rows)) {
    ValuePtr given = build::reshape(from, Shape::of({(*pieces->position->shape)[0], (*pieces->matrix)[1]}));
    ValuePtr put = put_rows(build::reshape(x, pieces->matrix), pieces->position, given, accumulate);
    return labelled(build::reshape(put, x->shape), "IndexPut");
  }
  ValuePtr aligned = build::permute(from, inverse_of(order));
  std::int64_t count = rows.index_shape->numel();
  ValuePtr replaced =
      put_rows(as_rows(x, rows), rows.position, build::reshape(aligned, Shape::of({count, rows.width})), accumulate);
  DimVector dims;
  for (std::int64_t axis : rows.order) dims.push_back((*x->shape)[static_cast<int>(axis)]);
  ValuePtr result = build::permute(build::reshape(replaced, Shape::of(dims)), inverse_of(rows.order));
  return labelled(result, "IndexPut");
}

ValuePtr put_slices(const ValuePtr& x, std::int64_t axis, const ValuePtr& index, const ValuePtr& source, bool add) {
  const int wrapped = wrap_axis(axis, x->shape->rank());
  Indices indices(static_cast<std::size_t>(wrapped) + 1);
  const bool added_rows = add && x->shape->rank() > 1;  // PyTorch has another kind of error for them
  indices.back() = engine::checked_index(index, (*x->shape)[wrapped], wrapped, false,
                                         added_rows ? ErrorKind::kRuntime : ErrorKind::kIndex);
  return index_put(x, indices, source, add);
}

std::vector<ValuePtr> mask_to_indices(const ValuePtr& mask) {
  ValuePtr positions = engine::nonzero(mask);
  std::vector<ValuePtr> result;
  std::int64_t count = (*positions->shape)[0];
  for (int axis = 0; axis < mask->shape->rank(); ++axis)
    result.push_back(build::reshape(build::narrow(positions, 1, axis, 1), Shape::of({count})));
  return result;
}

ValuePtr class_loss(const ValuePtr& scores, const ValuePtr& classes, std::int64_t ignored, LossReduction reduction) {
  int rank = scores->shape->rank(), axis = rank == 1 ? 0 : 1;
  if (rank == 0 || !is_floating(scores->dtype) || classes->dtype != DType::kInt64) return nullptr;
  if (classes->has(kPerExample)) return nullptr;  // whether all are classes is not known yet
  DimVector dims(scores->shape->dims().begin(), scores->shape->dims().end());
  std::int64_t count = std::exchange(dims[static_cast<std::size_t>(axis)], 1);
  if (reduced_shape(scores->shape, DimVector{axis}, false) != classes->shape || classes->shape->numel() == 0)
    return nullptr;
  if (!engine::are_positions(classes, count, ignored)) return nullptr;
  ValuePtr loss = build::gather(scores, axis, build::reshape(classes, Shape::of(dims)));
  if (reduction == LossReduction::kNone) {
    loss = build::neg(build::reshape(loss, classes->shape));
  } else {  // the sign is the divisor's: two values less than by neg and mean, and two less in their gradient
    double divisor = reduction == LossReduction::kSum ? -1 : -static_cast<double>(classes->shape->numel());
    ValuePtr total = build::sum(build::cast(loss, wide(loss->dtype)), all_axes(loss->shape), false);
    loss = build::cast(total / divisor, scores->dtype);
  }
  return labelled(std::move(loss), rank <= 2 ? "NllLoss" : "NllLoss2D");
}

ValuePtr one_hot(const ValuePtr& classes, std::int64_t count) {
  check(classes->dtype == DType::kInt64, "one_hot is only applicable to index tensor of type LongTensor.");
  bool inferred = count < 0;
  if (inferred) {
    check(classes->shape->numel() > 0, "Can not infer total number of classes from empty tensor.");
    ValuePtr largest = build::reduce(Op::amax, classes, all_axes(classes->shape), false);
    engine::realize(largest.get());
    count = *reinterpret_cast<const std::int64_t*>(engine::data_of(largest.get())) + 1;
  }
  check(count > 0 || classes->shape->numel() == 0,
        inferred ? "Class values must be non-negative." : "num_classes should be positive");
  const ValuePtr line = build::reshape(classes, Shape::of({classes->shape->numel(), 1}));
  try {
    engine::checked_index(classes, count, 0, false);
  } catch (const Error& error) {
    fail(ErrorKind::kRuntime, "Class values must be non-negative and smaller than num_classes: ", error.what());
  }
  DimVector dims(classes->shape->dims().begin(), classes->shape->dims().end());
  dims.push_back(count);
  ValuePtr base = full(Shape::of({classes->shape->numel(), count}), 0, DType::kInt64, classes->device());
  ValuePtr hot = build::scatter(base, 1, line, full(line->shape, 1, DType::kInt64, classes->device()));
  return build::reshape(hot, Shape::of(dims));
}

}  // namespace lamina::functions

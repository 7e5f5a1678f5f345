// Builders of elementwise ops, reductions, products, indexing and random numbers.
#include "ops/build.h"

#include <algorithm>
#include <numeric>

#include "support/check.h"

namespace lamina::build {

#define LAMINA_UNARY(name, ...) \
  ValuePtr name(const ValuePtr& x) { return unary(Op::name, x); }
#define LAMINA_FLAT(name, ...) \
  ValuePtr name(const ValuePtr& x) { return unary(Op::name, x); }
#define LAMINA_BINARY(name, ...) \
  ValuePtr name(const ValuePtr& a, const ValuePtr& b) { return binary(Op::name, a, b); }
#include "ops/op_list.inc"

ValuePtr elementwise(Op op, std::initializer_list<Value*> inputs) {
  const Shape* shape = nullptr;
  for (Value* input : inputs) shape = shape ? broadcast(shape, input->shape) : input->shape;
  DType dtype = row(op).result == Result::kBool ? DType::kBool : (*(inputs.end() - 1))->dtype;
  return record(op, inputs, shape, dtype);
}

ValuePtr number(double number, DType dtype) { return make_scalar(number, dtype); }
ValuePtr full(const Shape* shape, double value, DType dtype, Device device) {
  return device == Device::kMeta ? make_meta(shape, dtype) : expand(number(value, dtype), shape);
}
ValuePtr zeros_like(const ValuePtr& x) { return full(x->shape, 0, x->dtype, x->device()); }

ValuePtr cast(const ValuePtr& x, DType dtype) {
  if (x->dtype == dtype) return x;
  return record(Op::cast, {x.get()}, x->shape, dtype);
}
ValuePtr clone(const ValuePtr& x) { return record(Op::clone, {x.get()}, x->shape, x->dtype); }

ValuePtr rebase(const ValuePtr& numbers, const ValuePtr& history) {
  return record(Op::rebase, {numbers.get(), history.get()}, numbers->shape, numbers->dtype);
}

const Shape* reduced_shape(const Shape* shape, Dims axes, bool keepdim) {
  if (!keepdim && axes.size() == shape->dims().size()) return Shape::scalar();
  DimVector dims;
  dims.reserve(static_cast<std::size_t>(shape->rank()));
  for (int axis = 0; axis < shape->rank(); ++axis) {
    bool reduced = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (!reduced)
      dims.push_back((*shape)[axis]);
    else if (keepdim)
      dims.push_back(1);
  }
  return Shape::of(dims);
}

DimVector all_axes(const Shape* shape) {
  DimVector axes(static_cast<std::size_t>(shape->rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

ValuePtr reduce(Op op, const ValuePtr& x, Dims axes, bool keepdim) {
  DType dtype = x->dtype;
  if (op == Op::any || op == Op::all) dtype = DType::kBool;
  if (op == Op::argmax || op == Op::argmin) dtype = DType::kInt64;
  return record(op, {x.get()}, reduced_shape(x->shape, axes, keepdim), dtype, Attribute::of(axes));
}

ValuePtr sum_all(const ValuePtr& x) { return sum(x, all_axes(x->shape), false); }

ValuePtr sum_to(const ValuePtr& x, const Shape* shape) {
  if (x->shape == shape) return x;
  int added = x->shape->rank() - shape->rank();
  DimVector axes;
  for (int axis = 0; axis < x->shape->rank(); ++axis)
    if (axis < added || ((*shape)[axis - added] == 1 && (*x->shape)[axis] != 1)) axes.push_back(axis);
  // One run of neighboring axes after the other, the last one first: each is a sum where the numbers lie.
  ValuePtr summed = x;
  for (std::size_t end = axes.size(); end > 0;) {
    std::size_t begin = end - 1;
    while (begin > 0 && axes[begin - 1] == axes[begin] - 1) --begin;
    summed = sum(summed, Dims(axes).subspan(begin, end - begin), false);
    end = begin;
  }
  return reshape(summed, shape);
}

ValuePtr with_axes_last(const ValuePtr& x, Dims axes) {
  DimVector order, dims;
  std::int64_t n = 1;
  for (int axis = 0; axis < x->shape->rank(); ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) != axes.end()) {
      n *= (*x->shape)[axis];
    } else {
      order.push_back(axis);
      dims.push_back((*x->shape)[axis]);
    }
  }
  order.insert(order.end(), axes.begin(), axes.end());
  dims.push_back(n);
  return reshape(permute(x, order), Shape::of(dims));
}

ValuePtr rowwise(Op op, const ValuePtr& x, int axis) {
  const Shape* shape = x->shape;
  if (op == Op::logsumexp) shape = reduced_shape(shape, DimVector{shape->rank() + axis}, false);
  const bool positions = op == Op::cummax_positions || op == Op::cummin_positions;
  return record(op, {x.get()}, shape, positions ? DType::kInt64 : x->dtype, Attribute::of({axis}));
}

ValuePtr standardize(const ValuePtr& x, const Attribute* eps) {
  return record(Op::standardize, {x.get()}, x->shape, x->dtype, eps);
}
ValuePtr standardize_input(const ValuePtr& g, const ValuePtr& x, const Attribute* eps) {
  return record(Op::standardize_input, {g.get(), x.get()}, x->shape, x->dtype, eps);
}

ValuePtr fourier(Op op, const ValuePtr& x, const Attribute* transform) {
  DimVector dims(x->shape->dims().begin(), x->shape->dims().end());
  dims[dims.size() - static_cast<std::size_t>(-(*transform)[0])] = (*transform)[2];
  const DType dtype = op == Op::fourier        ? x->dtype
                      : op == Op::fourier_half ? complex_type(x->dtype)
                                               : part_type(x->dtype);
  return record(op, {x.get()}, Shape::of(dims), dtype, transform);
}

ValuePtr search(const ValuePtr& rows, const ValuePtr& numbers, bool behind_equals) {
  return record(Op::search, {rows.get(), numbers.get()}, numbers->shape, DType::kInt64,
                Attribute::of({behind_equals ? 1 : 0}));
}
ValuePtr argsort(const ValuePtr& x, bool descending, std::int64_t count) {
  DimVector dims(x->shape->dims().begin(), x->shape->dims().end());
  dims.back() = count;
  return record(Op::argsort, {x.get()}, Shape::of(dims), DType::kInt64, Attribute::of({descending ? 1 : 0, count}));
}

ValuePtr solve_triangle(const ValuePtr& a, const ValuePtr& b, bool upper, bool transpose, bool unit) {
  return record(Op::solve_triangle, {a.get(), b.get()}, b->shape, b->dtype, Attribute::of({upper, transpose, unit}));
}

ValuePtr matmul(const ValuePtr& a, const ValuePtr& b, bool transpose_a, bool transpose_b) {
  static const Attribute* const kFlags[2][2] = {{Attribute::of({0, 0}), Attribute::of({0, 1})},
                                                {Attribute::of({1, 0}), Attribute::of({1, 1})}};
  const Shape &sa = *a->shape, &sb = *b->shape;
  int ra = sa.rank(), rb = sb.rank();
  std::int64_t m = sa[ra - (transpose_a ? 1 : 2)], k = sa[ra - (transpose_a ? 2 : 1)];
  std::int64_t k2 = sb[rb - (transpose_b ? 1 : 2)], n = sb[rb - (transpose_b ? 2 : 1)];
  check(k == k2, "mat1 and mat2 shapes cannot be multiplied (", m, "x", k, " and ", k2, "x", n, ")");
  const Shape* shape;
  if (ra == 2 && rb == 2) {
    shape = Shape::of({m, n});
  } else {
    const Shape* batch = broadcast(Shape::of(sa.dims().first(static_cast<std::size_t>(ra - 2))),
                                   Shape::of(sb.dims().first(static_cast<std::size_t>(rb - 2))));
    DimVector dims(batch->dims().begin(), batch->dims().end());
    dims.insert(dims.end(), {m, n});
    shape = Shape::of(dims);
  }
  return record(Op::matmul, {a.get(), b.get()}, shape, a->dtype, kFlags[transpose_a][transpose_b]);
}

ValuePtr gather(const ValuePtr& x, int axis, const ValuePtr& index) {
  return record(Op::gather, {x.get(), index.get()}, index->shape, x->dtype, Attribute::of({axis}));
}
ValuePtr scatter(const ValuePtr& base, int axis, const ValuePtr& index, const ValuePtr& source) {
  return record(Op::scatter, {base.get(), index.get(), source.get()}, base->shape, base->dtype, Attribute::of({axis}));
}
ValuePtr scatter_add(const ValuePtr& base, int axis, const ValuePtr& index, const ValuePtr& source) {
  return record(Op::scatter_add, {base.get(), index.get(), source.get()}, base->shape, base->dtype,
                Attribute::of({axis}));
}
ValuePtr take_rows(const ValuePtr& matrix, const ValuePtr& index) {
  const Shape* shape = Shape::of({(*index->shape)[0], (*matrix->shape)[1]});
  return record(Op::take_rows, {matrix.get(), index.get()}, shape, matrix->dtype);
}
ValuePtr put_rows(const ValuePtr& matrix, const ValuePtr& index, const ValuePtr& rows, bool accumulate) {
  return record(Op::put_rows, {matrix.get(), index.get(), rows.get()}, matrix->shape, matrix->dtype,
                Attribute::of({accumulate ? 1 : 0}));
}

ValuePtr extend(const ValuePtr& x, const Attribute* borders) {
  DimVector dims(x->shape->dims().begin(), x->shape->dims().end());
  const std::size_t axes = borders->size() / 2, first = dims.size() - axes;
  for (std::size_t axis = 0; axis < axes; ++axis)
    dims[first + axis] += (*borders)[1 + 2 * axis] + (*borders)[2 + 2 * axis];
  return record(Op::extend, {x.get()}, Shape::of(dims), x->dtype, borders);
}
ValuePtr extend_input(const ValuePtr& y, const Shape* shape, const Attribute* borders) {
  return record(Op::extend_input, {y.get()}, shape, y->dtype, borders);
}

ValuePtr weighted_take(const ValuePtr& x, const ValuePtr& index, const ValuePtr& weights) {
  const Shape &from = *x->shape, &wanted = *index->shape;
  const Shape* shape = Shape::of({from[0], from[1], wanted[1], from[3]});
  return record(Op::weighted_take, {x.get(), index.get(), weights.get()}, shape, x->dtype);
}
ValuePtr weighted_put(const ValuePtr& y, const ValuePtr& index, const ValuePtr& weights, std::int64_t places) {
  const Shape& from = *y->shape;
  const Shape* shape = Shape::of({from[0], from[1], places, from[3]});
  return record(Op::weighted_put, {y.get(), index.get(), weights.get()}, shape, y->dtype, Attribute::of({places}));
}
ValuePtr weighted_dots(const ValuePtr& x, const ValuePtr& index, const ValuePtr& y) {
  return record(Op::weighted_dots, {x.get(), index.get(), y.get()}, index->shape, x->dtype);
}

ValuePtr random(Op op, const Shape* shape, DType dtype, std::uint64_t key, std::uint64_t offset) {
  ValuePtr seed = make_scalar(ScalarBits{key, offset}, DType::kInt64);
  return record(op, {seed.get()}, shape, dtype);
}

}  // namespace lamina::build

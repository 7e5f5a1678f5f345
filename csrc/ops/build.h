// Builders: one function an op, from values to a value, as gradients, public functions and passes of tests use them.
//
// Element types must agree (public functions promote first); shapes broadcast where the op is elementwise. A wrong
// shape is an internal error here unless a check is named.
#pragma once

#include <vector>

#include "ops/record.h"

namespace lamina::build {

#define LAMINA_UNARY(name, ...) ValuePtr name(const ValuePtr& x);
#define LAMINA_FLAT(name, ...) ValuePtr name(const ValuePtr& x);
#define LAMINA_BINARY(name, ...) ValuePtr name(const ValuePtr& a, const ValuePtr& b);
#include "ops/op_list.inc"

// Any elementwise op, by its row.
ValuePtr elementwise(Op op, std::initializer_list<Value*> inputs);
inline ValuePtr unary(Op op, const ValuePtr& x) { return elementwise(op, {x.get()}); }
inline ValuePtr binary(Op op, const ValuePtr& a, const ValuePtr& b) { return elementwise(op, {a.get(), b.get()}); }
inline ValuePtr where(const ValuePtr& condition, const ValuePtr& a, const ValuePtr& b) {
  return elementwise(Op::where, {condition.get(), a.get(), b.get()});
}

// A number as an input of the program; `full` spreads it over a shape.
ValuePtr number(double number, DType dtype);
ValuePtr full(const Shape* shape, double number, DType dtype, Device device = Device::kCpu);
ValuePtr zeros_like(const ValuePtr& x);

ValuePtr cast(const ValuePtr& x, DType dtype);  // x itself if it has this dtype
ValuePtr clone(const ValuePtr& x);
ValuePtr detach(const ValuePtr& x);
ValuePtr rebase(const ValuePtr& numbers, const ValuePtr& history);

// Views. Axes are within range and not negative.
ValuePtr reshape(const ValuePtr& x, const Shape* shape);  // x itself if it has this shape; so do the next two
ValuePtr permute(const ValuePtr& x, Dims axes);
ValuePtr expand(const ValuePtr& x, const Shape* shape);
ValuePtr slice(const ValuePtr& x, const Shape* shape, Dims starts, Dims steps);
ValuePtr slice(const ValuePtr& x, const Shape* shape, const Attribute* starts_and_steps);
// x's elements in row-major order, seen at these strides; within bounds by contract.
ValuePtr as_strided(const ValuePtr& x, const Shape* shape, const Attribute* offset_and_strides);
// A shape with a new last axis for a complex number's two parts.
const Shape* with_parts(const Shape* shape);
ValuePtr view_as_real(const ValuePtr& x);     // a complex x
ValuePtr view_as_complex(const ValuePtr& x);  // floats whose last axis has 2 elements
ValuePtr bitcast(const ValuePtr& x, DType dtype);
ValuePtr narrow(const ValuePtr& x, int axis, std::int64_t start, std::int64_t length, std::int64_t step = 1);
ValuePtr swap_axes(const ValuePtr& x, int first, int second);
ValuePtr flip(const ValuePtr& x, int axis);
ValuePtr slice_update(const ValuePtr& base, const ValuePtr& source, const Attribute* starts_and_steps);
// `fresh` in the place of all of `old`, which has its shape and type and gets a gradient of 0.
ValuePtr overwrite(const ValuePtr& old, const ValuePtr& fresh);
ValuePtr cat(std::span<const ValuePtr> parts, int axis);

// Reductions over `axes` (ascending, distinct; empty: over none).
ValuePtr reduce(Op op, const ValuePtr& x, Dims axes, bool keepdim);
inline ValuePtr sum(const ValuePtr& x, Dims axes, bool keepdim) { return reduce(Op::sum, x, axes, keepdim); }
ValuePtr sum_all(const ValuePtr& x);
// The adjoint of broadcasting: sums x down to `shape`.
ValuePtr sum_to(const ValuePtr& x, const Shape* shape);
const Shape* reduced_shape(const Shape* shape, Dims axes, bool keepdim);
DimVector all_axes(const Shape* shape);

// x with these axes last, and as one.
ValuePtr with_axes_last(const ValuePtr& x, Dims axes);

// Along an axis counted from behind, which is negative; scans for positions go along the last one only.
ValuePtr rowwise(Op op, const ValuePtr& x, int axis = -1);
// Along the last axis, which has elements; g: of the shape of x.
ValuePtr standardize(const ValuePtr& x, const Attribute* eps);
ValuePtr standardize_input(const ValuePtr& g, const ValuePtr& x, const Attribute* eps);
ValuePtr argsort(const ValuePtr& x, bool descending, std::int64_t count);
// Both of one type, which has an order.
ValuePtr search(const ValuePtr& rows, const ValuePtr& numbers, bool behind_equals);

// op: fourier, fourier_half or fourier_real; the attribute as op_list.inc says.
ValuePtr fourier(Op op, const ValuePtr& x, const Attribute* transform);

// b: of a's batch. By a's transpose if `transpose`; `unit`: ones on its diagonal.
ValuePtr solve_triangle(const ValuePtr& a, const ValuePtr& b, bool upper, bool transpose, bool unit);

// Batches broadcast. transpose_a, transpose_b: swap the last two axes first.
ValuePtr matmul(const ValuePtr& a, const ValuePtr& b, bool transpose_a = false, bool transpose_b = false);

// Shapes and attribute as op_list.inc says; `shape` is the result's.
ValuePtr convolution(const ValuePtr& x, const ValuePtr& weight, const Shape* shape, const Attribute* windows);
ValuePtr convolution_input(const ValuePtr& y, const ValuePtr& weight, const Shape* shape, const Attribute* windows);
ValuePtr convolution_weight(const ValuePtr& x, const ValuePtr& y, const Shape* shape, const Attribute* windows);
ValuePtr max_pool_positions(const ValuePtr& x, const Shape* shape, const Attribute* windows);
ValuePtr window_sums(const ValuePtr& x, const Shape* shape, const Attribute* windows);
ValuePtr window_sums_input(const ValuePtr& y, const Shape* shape, const Attribute* windows);

// borders: the attribute that op_list.inc describes; shape: of what was extended.
ValuePtr extend(const ValuePtr& x, const Attribute* borders);
ValuePtr extend_input(const ValuePtr& y, const Shape* shape, const Attribute* borders);

ValuePtr gather(const ValuePtr& x, int axis, const ValuePtr& index);
ValuePtr scatter(const ValuePtr& base, int axis, const ValuePtr& index, const ValuePtr& source);
ValuePtr scatter_add(const ValuePtr& base, int axis, const ValuePtr& index, const ValuePtr& source);
ValuePtr take_rows(const ValuePtr& matrix, const ValuePtr& index);
ValuePtr put_rows(const ValuePtr& matrix, const ValuePtr& index, const ValuePtr& rows, bool accumulate);

// Shapes as op_list.inc says. The index is int64 and within bounds by contract.
ValuePtr weighted_take(const ValuePtr& x, const ValuePtr& index, const ValuePtr& weights);
ValuePtr weighted_put(const ValuePtr& y, const ValuePtr& index, const ValuePtr& weights, std::int64_t places);
ValuePtr weighted_dots(const ValuePtr& x, const ValuePtr& index, const ValuePtr& y);

ValuePtr random(Op op, const Shape* shape, DType dtype, std::uint64_t key, std::uint64_t offset);

// Gradients and compositions read as formulas with these. A number takes the value's dtype.
inline ValuePtr operator+(const ValuePtr& a, const ValuePtr& b) { return add(a, b); }
inline ValuePtr operator-(const ValuePtr& a, const ValuePtr& b) { return sub(a, b); }
inline ValuePtr operator*(const ValuePtr& a, const ValuePtr& b) { return mul(a, b); }
inline ValuePtr operator/(const ValuePtr& a, const ValuePtr& b) { return div(a, b); }
inline ValuePtr operator-(const ValuePtr& a) { return neg(a); }
inline ValuePtr operator+(const ValuePtr& a, double b) { return add(a, number(b, a->dtype)); }
inline ValuePtr operator-(const ValuePtr& a, double b) { return sub(a, number(b, a->dtype)); }
inline ValuePtr operator-(double a, const ValuePtr& b) { return sub(number(a, b->dtype), b); }
inline ValuePtr operator*(const ValuePtr& a, double b) { return mul(a, number(b, a->dtype)); }
inline ValuePtr operator/(const ValuePtr& a, double b) { return div(a, number(b, a->dtype)); }

}  // namespace lamina::build

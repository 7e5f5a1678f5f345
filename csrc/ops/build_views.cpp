// Builders of views, slices and joins.
#include <numeric>

#include "ops/build.h"
#include "ops/view_layout.h"

namespace lamina::build {

ValuePtr detach(const ValuePtr& x) { return record(Op::detach, {x.get()}, x->shape, x->dtype); }

ValuePtr reshape(const ValuePtr& x, const Shape* shape) {
  if (x->shape == shape) return x;
  return record(Op::reshape, {x.get()}, shape, x->dtype);
}

ValuePtr permute(const ValuePtr& x, Dims axes) {
  bool identity = true;
  DimVector dims(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    dims[i] = (*x->shape)[static_cast<int>(axes[i])];
    identity &= axes[i] == static_cast<std::int64_t>(i);
  }
  if (identity) return x;
  return record(Op::permute, {x.get()}, Shape::of(dims), x->dtype, Attribute::of(axes));
}

ValuePtr expand(const ValuePtr& x, const Shape* shape) {
  if (x->shape == shape) return x;
  return record(Op::expand, {x.get()}, shape, x->dtype);
}

ValuePtr slice(const ValuePtr& x, const Shape* shape, Dims starts, Dims steps) {
  DimVector both(starts.begin(), starts.end());
  both.insert(both.end(), steps.begin(), steps.end());
  return slice(x, shape, Attribute::of(both));
}

ValuePtr slice(const ValuePtr& x, const Shape* shape, const Attribute* starts_and_steps) {
  return record(Op::slice, {x.get()}, shape, x->dtype, starts_and_steps);
}

ValuePtr as_strided(const ValuePtr& x, const Shape* shape, const Attribute* offset_and_strides) {
  bool dense = x->storage ? !x->layout.strides : !is_view(x.get()) && op_of(x.get()) != Op::rebase;
  ValuePtr base = dense ? x : clone(x);
  return record(Op::as_strided, {base.get()}, shape, x->dtype, offset_and_strides);
}

const Shape* with_parts(const Shape* shape) {
  DimVector dims(shape->dims().begin(), shape->dims().end());
  dims.push_back(2);
  return Shape::of(dims);
}

namespace {

// Is it a number that a program has once, however often it is shown?
bool is_number_shown(const Value* x) {
  while (is_view(x) && !x->storage && x->inputs[0]) x = x->inputs[0];
  return x->op == kScalar;
}

}  // namespace

ValuePtr view_as_real(const ValuePtr& x) {
  if (is_number_shown(x.get())) return view_as_real(clone(x));
  return record(Op::view_as_real, {x.get()}, with_parts(x->shape), part_type(x->dtype));
}
ValuePtr view_as_complex(const ValuePtr& x) {
  auto dims = x->shape->dims();
  return record(Op::view_as_complex, {x.get()}, Shape::of(dims.first(dims.size() - 1)), complex_type(x->dtype));
}

ValuePtr bitcast(const ValuePtr& x, DType dtype) { return record(Op::bitcast, {x.get()}, x->shape, dtype); }

ValuePtr narrow(const ValuePtr& x, int axis, std::int64_t start, std::int64_t length, std::int64_t step) {
  auto rank = static_cast<std::size_t>(x->shape->rank());
  DimVector starts(rank, 0), steps(rank, 1), dims(x->shape->dims().begin(), x->shape->dims().end());
  starts[static_cast<std::size_t>(axis)] = start;
  steps[static_cast<std::size_t>(axis)] = step;
  dims[static_cast<std::size_t>(axis)] = length;
  return slice(x, Shape::of(dims), starts, steps);
}

ValuePtr swap_axes(const ValuePtr& x, int first, int second) {
  DimVector axes = all_axes(x->shape);
  std::swap(axes[static_cast<std::size_t>(first)], axes[static_cast<std::size_t>(second)]);
  return permute(x, axes);
}

ValuePtr flip(const ValuePtr& x, int axis) {
  std::int64_t size = (*x->shape)[axis];
  return size < 2 ? x : narrow(x, axis, size - 1, size, -1);
}

ValuePtr slice_update(const ValuePtr& base, const ValuePtr& source, const Attribute* starts_and_steps) {
  return record(Op::slice_update, {base.get(), source.get()}, base->shape, base->dtype, starts_and_steps);
}

ValuePtr overwrite(const ValuePtr& old, const ValuePtr& fresh) {
  DimVector whole(2 * old->shape->dims().size(), 0);
  std::fill(whole.begin() + old->shape->rank(), whole.end(), 1);
  return slice_update(old, fresh, Attribute::of(whole));
}

ValuePtr cat(std::span<const ValuePtr> parts, int axis) {
  DimVector dims(parts[0]->shape->dims().begin(), parts[0]->shape->dims().end());
  dims[static_cast<std::size_t>(axis)] = 0;
  std::vector<Value*> inputs;
  inputs.reserve(parts.size());
  for (const ValuePtr& part : parts) {
    dims[static_cast<std::size_t>(axis)] += (*part->shape)[axis];
    inputs.push_back(part.get());
  }
  return record(Op::cat, inputs, Shape::of(dims), parts[0]->dtype, Attribute::of({axis}));
}

}  // namespace lamina::build

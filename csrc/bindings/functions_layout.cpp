// Rows of the registry: how a tensor's elements lie.
#include "bindings/results.h"
#include "bindings/scalars.h"
#include "functions/axes.h"
#include "ops/build.h"
#include "ops/memory_order.h"
#include "ops/view_layout.h"
#include "support/check.h"

namespace lamina::bindings {

MemoryFormat Arguments::memory_format(MemoryFormat absent) const {
  auto i = static_cast<std::size_t>(signature_.memory_format_);
  return signature_.memory_format_ >= 0 && given(i) ? memory_format_from(values_[i]) : absent;
}

LAMINA_FUNCTION(kBoth, clone, "input, *, memory_format=None") {
  return wrap(laid(build::clone(a.tensor(0)), a.variable(0), a.memory_format(MemoryFormat::kPreserve)));
}
LAMINA_FUNCTION(kMethod, contiguous, "input, *, memory_format=None") {
  MemoryFormat format = a.memory_format(MemoryFormat::kContiguous);
  if (engine::is_contiguous(a.variable(0), format)) return self_of(a);
  check(format != MemoryFormat::kPreserve, "preserve memory format is unsupported by the contiguous operator");
  return wrap(laid(build::clone(a.tensor(0)), a.variable(0), format));
}
LAMINA_FUNCTION(kMethod, is_contiguous, "input, *, memory_format=None") {
  return PyBool_FromLong(engine::is_contiguous(a.variable(0), a.memory_format(MemoryFormat::kContiguous)));
}
LAMINA_FUNCTION(kMethod, stride, "input, dim=None") {
  DimVector strides = engine::logical_layout(a.variable(0)).strides;
  const int rank = a.tensor(0)->shape->rank();
  if (a.given(1))
    return PyLong_FromLongLong(strides[static_cast<std::size_t>(functions::wrap_own_axis(a.integer(1), rank))]);
  return PySequence_Tuple(Object(size_object(strides)).get());
}
LAMINA_FUNCTION(kMethod, storage_offset, "input") {
  return PyLong_FromLongLong(engine::logical_layout(a.variable(0)).offset);
}

namespace {

// A result that was just made, or a view of something that was, as a tensor of its own with these strides.
PyObject* laid_out(const Arguments& a, Dims strides) {
  show_strides(a.tensor(0).get(), strides);
  return a.variable(0).is_view() ? wrap(a.tensor(0)) : self_of(a);
}

bool any_reordered(const Arguments& a) {
  const ValuePtr &result = a.tensor(0), &like = a.tensor(1);
  return result != like && ((result->flags | like->flags) & kReordered) != 0;
}

}  // namespace

// A result gets the memory format that a layer gives for this input.
LAMINA_FUNCTION(kModule, _lay_like, "result, input") {
  if (!any_reordered(a)) return self_of(a);
  ValuePtr result = laid_like(a.tensor(0), a.variable(1));
  return a.variable(0).is_view() ? wrap(std::move(result)) : self_of(a);
}
// ... or the order of a tensor of its shape.
LAMINA_FUNCTION(kModule, _lay_as, "result, other") {
  if (!any_reordered(a)) return self_of(a);
  return laid_out(a, preserved_strides(a.tensor(1)->shape, engine::logical_layout(a.variable(1)).strides));
}
// ... or these strides, which are those of a dense tensor.
LAMINA_FUNCTION(kModule, _lay_out, "result, strides") { return laid_out(a, a.dims(1)); }
// ... or row-major ones.
LAMINA_FUNCTION(kModule, _lay_contiguous, "result") {
  return a.tensor(0)->has(kReordered) ? laid_out(a, contiguous_strides(a.tensor(0)->shape)) : self_of(a);
}

LAMINA_FUNCTION(kMethod, resize_, "input, *size, memory_format=None") {
  const ValuePtr x = a.tensor(0);
  check(!x->requires_grad() || inference_mode(), "cannot resize variables that require grad");
  const Shape* shape = Shape::of(a.rest_dims());
  MemoryFormat format = a.memory_format(MemoryFormat::kContiguous);
  check(format != MemoryFormat::kPreserve, "Unsupported memory format Preserve");
  DimVector strides = strides_in(shape, format);
  bool changes = a.given(2) && engine::logical_layout(a.variable(0)).strides != strides;
  if (shape == x->shape && !changes) return self_of(a);
  std::int64_t held = x->shape->numel(), wanted = shape->numel();
  DimVector axes = *axes_in_memory(x->shape, engine::base_strides(x.get()));
  ValuePtr flat = build::reshape(build::permute(x, axes), Shape::of({held}));
  if (wanted > held) {
    check(!x->storage || x->storage->external_holders == 0, "Trying to resize storage that is not resizable");
    std::vector<ValuePtr> parts{flat, build::full(Shape::of({wanted - held}), 0, x->dtype, x->device())};
    flat = build::cat(parts, 0);
  }
  axes = *axes_in_memory(shape, strides);
  ValuePtr rows = build::reshape(build::narrow(flat, 0, 0, wanted), permuted(shape, axes));
  ValuePtr resized = build::clone(build::permute(rows, inverse_of(axes)));
  show_strides(resized.get(), strides);
  engine::replace(a.variable(0), std::move(resized));
  ++a.variable(0).changes;
  return self_of(a);
}

}  // namespace lamina::bindings

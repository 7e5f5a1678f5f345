// What rows of the registry give back: the first argument, views of it, new tensors.
#include "bindings/results.h"

#include "functions/pointwise.h"
#include "ops/build.h"
#include "ops/memory_order.h"
#include "support/check.h"

namespace lamina::bindings {

PyObject* self_of(const Arguments& a) { return Py_NewRef(a.tensor_object(0)); }

PyObject* view(const Arguments& a, const functions::Views& views, const char* label) {
  engine::Variable result = engine::view_of(a.variable(0), views);
  functions::labelled(result.value, label);
  return wrap_view(a.tensor_object(0), std::move(result));
}

ValuePtr laid(ValuePtr fresh, engine::Variable& like, MemoryFormat format) {
  const Shape* shape = engine::current(like)->shape;
  if (fresh == like.value) fresh = build::clone(fresh);
  if (format != MemoryFormat::kPreserve)
    show_strides(fresh.get(), strides_in(shape, format));
  else if ((fresh->flags | like.value->flags) & kReordered)
    show_strides(fresh.get(), preserved_strides(shape, engine::logical_layout(like).strides));
  return fresh;
}

ValuePtr laid_like(ValuePtr fresh, engine::Variable& input) {
  if (fresh == input.value || ((fresh->flags | input.value->flags) & kReordered) == 0) return fresh;
  const Shape *shape = fresh->shape, *like = input.value->shape;
  MemoryFormat format = suggested_format(like, engine::logical_layout(input).strides);
  show_strides(fresh.get(), strides_in(shape, shape->rank() == like->rank() ? format : MemoryFormat::kContiguous));
  return fresh;
}

PyObject* fresh_tensor(const Arguments& a, ValuePtr value, std::size_t requires_grad) {
  bool differentiated = a.flag(requires_grad, false);
  check(!differentiated || is_differentiable(value->dtype),
        "Only Tensors of floating point and complex dtype can require gradients");
  Object tensor(wrap(std::move(value)));
  if (differentiated) set_requires_grad(tensor.get(), true);
  return tensor.release();
}

PyObject* fresh_tensor_like(const Arguments& a, ValuePtr value, std::size_t requires_grad) {
  return fresh_tensor(a, laid(std::move(value), a.variable(0), a.memory_format(MemoryFormat::kPreserve)),
                      requires_grad);
}

}  // namespace lamina::bindings

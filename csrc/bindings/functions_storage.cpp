// Rows of the registry: the memory under tensors, which lamina/storage shows as storages.
#include "bindings/exchange.h"
#include "bindings/function_node.h"
#include "bindings/results.h"
#include "engine/flush.h"
#include "ops/build.h"
#include "ops/view_layout.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// What has changed its memory under a gradient's feet cannot be differentiated, but looks as if it could.
ValuePtr without_derivative(const ValuePtr& operand, const ValuePtr& numbers) {
  OutputsRule rule = [](std::span<const ValuePtr>) -> ValuePtr {
    fail(ErrorKind::kRuntime, "derivative for set_ is not implemented");
  };
  return outputs_of_one_node(operand, {&numbers, 1}, "NotImplemented@", std::move(rule)).front();
}

const ValuePtr& base_of_view(engine::Variable& variable) {
  return variable.is_view() ? variable.cell->value : engine::current(variable);
}

}  // namespace

// `tensor` shows what `source` shows from now on, in the same memory.
LAMINA_FUNCTION(kModule, _show_memory_of, "tensor, source") {
  ValuePtr old = a.tensor(0), shown = a.tensor(1);
  LeafPtr leaf(old->leaf ? leaf_of(old.get()) : nullptr);
  engine::show_memory_of(a.variable(0), a.variable(1));
  ValuePtr& value = a.variable(0).value;
  if (leaf) {
    auto* former = new LeafGrad;
    former->successor = leaf;
    attach_leaf(old.get(), LeafPtr::adopt(former));
  } else if (grad_enabled() && (old->requires_grad() || shown->requires_grad())) {
    value = without_derivative(old->requires_grad() ? old : shown, value);
  }
  return self_of(a);
}

// All of the memory under a tensor, as a row of elements.
LAMINA_FUNCTION(kModule, _memory_of, "tensor") { return wrap(engine::memory_of(a.variable(0))); }
LAMINA_FUNCTION(kModule, _has_gaps, "tensor") { return PyBool_FromLong(engine::has_gaps(a.variable(0))); }
// A tensor over a row of numbers that nobody else shows, all of them, as its own memory.
LAMINA_FUNCTION(kModule, _base_over, "memory, size, stride") {
  const ValuePtr& row = a.tensor(0);
  const Shape* shape = Shape::of(a.dims(1));
  DimVector strides = a.dims(2);
  engine::realize(row.get());
  ValuePtr base = make_leaf(StoragePtr(row->storage), shape, row->dtype, {0, strides_attribute(shape, strides)});
  show_strides(base.get(), strides);
  return wrap(std::move(base));
}
// A number that tensors in the same memory share.
LAMINA_FUNCTION(kModule, _memory_id, "tensor") { return PyLong_FromVoidPtr(a.variable(0).cell.get()); }
// How many tensors, arrays and other holders outside show this memory.
LAMINA_FUNCTION(kModule, _memory_holders, "tensor") {
  engine::Variable& variable = a.variable(0);
  const ValuePtr& base = base_of_view(variable);
  return PyLong_FromUnsignedLong((variable.cell ? variable.cell->references : 1) +
                                 (base->storage ? base->storage->external_holders : 0));
}
// Whose memory it is: the object that a tensor was made from without a copy, or None.
LAMINA_FUNCTION(kModule, _memory_owner, "tensor") {
  const ValuePtr& base = base_of_view(a.variable(0));
  PyObject* owner = base->storage ? owner_of(base->storage) : nullptr;
  return Object::borrowed(owner ? owner : Py_None).release();
}
// The memory under `tensor` is that of `other` from now on, a tensor of as many elements of its type.
LAMINA_FUNCTION(kModule, _move_memory, "tensor, other") {
  const ValuePtr& other = a.tensor(1);
  engine::move_memory(a.variable(0), StoragePtr(other->storage));
  Py_RETURN_NONE;
}

}  // namespace lamina::bindings

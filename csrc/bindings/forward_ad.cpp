// Rows of the registry: dual tensors. What they mean: engine/tangents.h; their public side: autograd/forward_ad.py.
#include <memory>

#include "bindings/results.h"
#include "bindings/tensor_object.h"
#include "engine/flush.h"
#include "engine/tangents.h"
#include "functions/pointwise.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// A tangent that somebody has seen is that very tensor from then on.
struct SeenTangent : engine::TangentTensor {
  Object tensor;
  explicit SeenTangent(Object seen) : tensor(std::move(seen)) {}
  engine::Variable& variable() override { return as_tensor(tensor.get())->variable; }
};

engine::TangentPtr tangent_over(PyObject* tensor) {
  auto tangent = engine::TangentPtr::adopt(new engine::Tangent);
  tangent->tensor = std::make_unique<SeenTangent>(Object::borrowed(tensor));
  return tangent;
}

PyObject* tensor_of(engine::Tangent& tangent) {
  if (!tangent.tensor)
    tangent.tensor = std::make_unique<SeenTangent>(Object(wrap_quietly(std::exchange(tangent.own, {}))));
  return Object::borrowed(static_cast<SeenTangent&>(*tangent.tensor).tensor.get()).release();
}

// Does the tangent lie in memory as the primal does? Else views of one could not be views of the other.
bool lies_alike(engine::Variable& primal, engine::Variable& tangent) {
  if (engine::current(primal)->has(kPerExample) || engine::current(tangent)->has(kPerExample)) return true;
  auto memory = [](engine::Variable& x) { return (x.is_view() ? x.cell->value : engine::current(x))->shape->numel(); };
  engine::LogicalLayout a = engine::logical_layout(primal), b = engine::logical_layout(tangent);
  const auto& dims = engine::current(primal)->shape->dims();
  if (engine::current(primal)->shape->numel() == 0) return true;
  for (std::size_t axis = 0; axis < dims.size(); ++axis)
    if (dims[axis] != 1 && a.strides[axis] != b.strides[axis]) return false;
  return a.offset == b.offset && memory(primal) == memory(tangent);
}

}  // namespace

LAMINA_FUNCTION(kModule, _enter_dual_level, "") {
  engine::enter_dual_level();
  return PyLong_FromLong(0);
}
LAMINA_FUNCTION(kModule, _exit_dual_level, "") {
  engine::leave_dual_level();
  Py_RETURN_NONE;
}

// Follows tangents or not from now on, in this thread; returns what was before.
LAMINA_FUNCTION(kModule, _follow_tangents, "followed") {
  return PyBool_FromLong(engine::follow_tangents(a.flag(0, true)));
}
LAMINA_FUNCTION(kModule, _follows_tangents, "") { return PyBool_FromLong(engine::follows_tangents()); }

LAMINA_FUNCTION(kModule, _tangents_followed, "") { return PyBool_FromLong(engine::tangents_followed()); }

LAMINA_FUNCTION(kModule, _make_dual, "tensor, tangent") {
  const ValuePtr primal = a.tensor(0), tangent = a.tensor(1);
  check(primal->shape == tangent->shape,
        "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
        "supported. Tensor is of size ",
        to_string(primal->shape->dims(), '[', ']'), " while the given forward gradient is of size ",
        to_string(tangent->shape->dims(), '[', ']'), ".");
  check(primal->dtype == tangent->dtype, "Trying to set a forward gradient of ", name_of(tangent->dtype),
        " for a Tensor of ", name_of(primal->dtype), ", this is not supported.");
  check(!engine::tangent_of(tangent.get()),
        "Setting a forward grad that itself has a forward gradient at the same level 0 is not supported.");
  check(!engine::tangent_of(primal.get()),
        "Making a dual Tensor based on a Tensor that already has a forward gradient at the same level 0 is not "
        "supported.");
  Object own = Object::borrowed(a.object(1));
  if (!lies_alike(a.variable(0), a.variable(1))) own = Object(wrap_quietly(engine::Variable(build::clone(tangent))));
  engine::Variable dual = engine::dual_view(a.variable(0), tangent_over(own.get()));
  functions::labelled(dual.value, "View");
  return wrap_view(a.tensor_object(0), std::move(dual));
}

LAMINA_FUNCTION(kModule, _tangent_of, "tensor") {
  engine::TangentPtr tangent = engine::tangent_of(a.tensor(0).get());
  if (!tangent) Py_RETURN_NONE;
  return tensor_of(*tangent);
}
// A view with this tangent (None: with none), whatever the tensor has.
LAMINA_FUNCTION(kModule, _dual_view, "tensor, tangent") {
  engine::TangentPtr tangent = a.given(1) ? tangent_over(a.object(1)) : nullptr;
  engine::Variable view = engine::dual_view(a.variable(0), std::move(tangent));
  functions::labelled(view.value, "View");
  return wrap_view(a.tensor_object(0), std::move(view));
}
// What an operation that did not follow tangents has got for one: its own, from now on.
LAMINA_FUNCTION(kModule, _set_tangent, "tensor, tangent") {
  engine::set_tangent(a.tensor(0).get(), tangent_over(a.object(1)));
  Py_RETURN_NONE;
}

// The tensor loses its history, and its tangent. What is a view of memory that nobody else looks at, as the results of
// some functions are, is a tensor of its own from now on.
LAMINA_FUNCTION(kMethod, detach_, "input") {
  engine::Variable& variable = a.variable(0);
  const bool alone = variable.is_shown_as_view() && variable.cell->references == 1;
  check(alone || !variable.is_shown_as_view(), "Can't detach views in-place. Use detach() instead.");
  if (engine::current(variable)->leaf)
    set_requires_grad(a.tensor_object(0), false);
  else if (alone)
    engine::replace(variable, build::detach(engine::current(variable)));
  else if (variable.is_view())
    variable = engine::detached(variable, true);
  else if (engine::current(variable)->requires_grad())
    engine::lose_history(variable);
  engine::drop_tangent(engine::current(variable).get());
  return self_of(a);
}

}  // namespace lamina::bindings

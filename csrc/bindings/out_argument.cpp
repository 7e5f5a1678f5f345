// `out=`.
#include "bindings/out_argument.h"

#include "bindings/in_place.h"
#include "bindings/registry.h"
#include "engine/flush.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

void refuse(const char* function, PyObject* result, PyObject* out) {
  if (!is_tensor(out)) fail(ErrorKind::kType, function, "(): argument 'out' must be Tensor, not ", printed_type(out));
  const ValuePtr &from = value_of(result), &to = value_of(out);
  check(
      !grad_enabled() || (!from->requires_grad() && !to->requires_grad()), function,
      "(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires "
      "grad.");
  check(functions::can_cast(from->dtype, to->dtype), "result type ", functions::scalar_name(from->dtype),
        " can't be cast to the desired output type ", functions::scalar_name(to->dtype));
}

void put(PyObject* result, PyObject* out) {
  ValuePtr fresh = value_of(result);
  const ValuePtr old = value_of(out);
  if (fresh->shape == old->shape) return assign_result(out, std::move(fresh));
  if (old->shape->numel() != 0) {
    std::string message = text(
        "An output with one or more elements was resized since it had shape ", to_string(old->shape->dims(), '[', ']'),
        ", which does not match the required output shape ", to_string(fresh->shape->dims(), '[', ']'),
        ". This behavior is deprecated, and in a future release outputs will not be resized unless they have zero "
        "elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements with "
        "t.resize_(0).");
    checked(PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1));
  }
  engine::replace(as_tensor(out)->variable, build::cast(fresh, old->dtype));
  engine::flush_if_due();
}

}  // namespace

PyObject* put_into_out(const char* function, Object result, PyObject* out) {
  if (out == Py_None) return result.release();
  if (is_tensor(result.get())) {
    refuse(function, result.get(), out);
    put(result.get(), out);
    return Object::borrowed(out).release();
  }
  if (!PyTuple_Check(result.get())) fail(ErrorKind::kType, function, "() got an unexpected keyword argument 'out'");
  Py_ssize_t size = PyTuple_GET_SIZE(result.get());
  if (!(PyTuple_Check(out) || PyList_Check(out)) || PySequence_Fast_GET_SIZE(out) != size)
    fail(ErrorKind::kType, function, "(): argument 'out' must be tuple of Tensors (", size, " of them), not ",
         printed_type(out));
  for (Py_ssize_t i = 0; i < size; ++i)
    refuse(function, PyTuple_GET_ITEM(result.get(), i), PySequence_Fast_GET_ITEM(out, i));
  Object kind = Object::borrowed(reinterpret_cast<PyObject*>(Py_TYPE(result.get())));
  Object items(checked(PyTuple_New(size)));
  for (Py_ssize_t i = 0; i < size; ++i) {
    put(PyTuple_GET_ITEM(result.get(), i), PySequence_Fast_GET_ITEM(out, i));
    PyTuple_SET_ITEM(items.get(), i, Object::borrowed(PySequence_Fast_GET_ITEM(out, i)).release());
  }
  return kind.get() == reinterpret_cast<PyObject*>(&PyTuple_Type)
             ? items.release()
             : checked(PyObject_CallObject(kind.get(), items.get()));
}

LAMINA_FUNCTION(kModule, _put_into_out, "name, result, out") {
  return put_into_out(a.text(0), Object::borrowed(a.object(1)), a.object(2));
}

}  // namespace lamina::bindings

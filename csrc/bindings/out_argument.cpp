// `out=`.
#include "bindings/out_argument.h"

#include <cstring>

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
  if (std::strcmp(function, "nonzero") == 0)
    check(to->dtype == DType::kInt64, "nonzero: Expected out tensor to have scalar type Long but got scalar type",
          functions::scalar_name(to->dtype));
  check(functions::can_cast(from->dtype, to->dtype), "result type ", functions::scalar_name(from->dtype),
        " can't be cast to the desired output type ", functions::scalar_name(to->dtype));
}

// While it lives, memory whose address somebody has asked for is changed where it lies, not replaced.
class WrittenInPlace {
 public:
  explicit WrittenInPlace(const ValuePtr& value) {
    if (!value->storage || !value->storage->address_known) return;
    storage_ = StoragePtr(value->storage);
    expose(storage_.get());
  }
  WrittenInPlace(const WrittenInPlace&) = delete;
  WrittenInPlace& operator=(const WrittenInPlace&) = delete;
  ~WrittenInPlace() {
    if (storage_) --storage_->external_holders;
  }

 private:
  StoragePtr storage_;
};

// Ranges fill an out of as many elements, whatever its shape.
bool is_range(const char* function) {
  for (const char* range : {"arange", "linspace", "logspace", "range"})
    if (std::strcmp(function, range) == 0) return true;
  return false;
}

std::string resized(const char* function, const Shape* old, const Shape* fresh) {
  if (std::strcmp(function, "arange") == 0)
    return text(
        "The number of elements in the out tensor of shape ", to_string(old->dims(), '[', ']'), " is ", old->numel(),
        " which does not match the computed number of elements ", fresh->numel(),
        ". Note that this may occur as a result of rounding error. The out tensor will be resized to a tensor of "
        "shape (",
        fresh->numel(), ",).");
  return text("An output with one or more elements was resized since it had shape ", to_string(old->dims(), '[', ']'),
              ", which does not match the required output shape ", to_string(fresh->dims(), '[', ']'),
              ". This behavior is deprecated, and in a future PyTorch release outputs will not be resized unless they "
              "have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements "
              "with t.resize_(0).");
}

void put(const char* function, PyObject* result, PyObject* out, bool resizes) {
  ValuePtr fresh = value_of(result);
  const ValuePtr old = value_of(out);
  if (is_range(function) && fresh->shape->numel() == old->shape->numel()) fresh = build::reshape(fresh, old->shape);
  if (fresh->shape == old->shape) {
    WrittenInPlace there(old);
    return assign_result(out, std::move(fresh));
  }
  if (old->shape->numel() != 0 && (!resizes || std::strcmp(function, "arange") == 0))
    checked(PyErr_WarnEx(PyExc_UserWarning, resized(function, old->shape, fresh->shape).c_str(), 1));
  engine::replace(as_tensor(out)->variable, build::cast(fresh, old->dtype));
  engine::flush_if_due();
}

}  // namespace

PyObject* put_into_out(const char* function, Object result, PyObject* out, bool resizes) {
  if (out == Py_None) return result.release();
  if (is_tensor(result.get())) {
    refuse(function, result.get(), out);
    put(function, result.get(), out, resizes);
    return Object::borrowed(out).release();
  }
  check(std::strcmp(function, "nonzero") != 0, "nonzero does not support the out kwarg when as_tuple is True");
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
    put(function, PyTuple_GET_ITEM(result.get(), i), PySequence_Fast_GET_ITEM(out, i), resizes);
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

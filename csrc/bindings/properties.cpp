// Tensor's attributes.
#include "autograd/gradients.h"
#include "bindings/autograd.h"
#include "bindings/complex_parts.h"
#include "bindings/devices.h"
#include "bindings/grad_fn.h"
#include "bindings/scalars.h"
#include "bindings/tensor_object.h"
#include "bindings/warning.h"
#include "functions/views.h"
#include "ops/complex.h"
#include "ops/record.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

engine::Variable& variable_of(PyObject* self) { return as_tensor(self)->variable; }
// What no change of a view's base changes can be read off the value that it had before.
const Value* any_value_of(PyObject* self) { return variable_of(self).value.get(); }

PyObject* get_shape(PyObject* self, void*) {
  return guarded([&] { return size_object(any_value_of(self)->shape->dims()); });
}
PyObject* get_ndim(PyObject* self, void*) {
  return guarded([&] { return PyLong_FromLong(any_value_of(self)->shape->rank()); });
}
PyObject* get_dtype(PyObject* self, void*) {
  return guarded([&] { return Object::borrowed(dtype_object(any_value_of(self)->dtype)).release(); });
}
PyObject* get_device(PyObject* self, void*) {
  return guarded([&] { return Py_NewRef(device_object(value_of(self)->device())); });
}
PyObject* get_is_meta(PyObject* self, void*) {
  return guarded([&] { return PyBool_FromLong(value_of(self)->has(kMeta)); });
}
PyObject* get_layout(PyObject*, void*) { return Py_NewRef(strided_layout()); }
PyObject* get_requires_grad(PyObject* self, void*) {
  return guarded([&] { return PyBool_FromLong(value_of(self)->requires_grad()); });
}
int set_requires_grad_property(PyObject* self, PyObject* flag, void*) {
  return guarded(
      [&] {
        check(flag != nullptr, "Deleting requires_grad is not allowed. Set it to False instead.");
        if (!PyBool_Check(flag)) fail(ErrorKind::kType, "requires_grad must be a bool");
        set_requires_grad(self, flag == Py_True);
        return 0;
      },
      -1);
}
PyObject* get_is_leaf(PyObject* self, void*) {
  return guarded([&] { return PyBool_FromLong(value_of(self)->is_leaf()); });
}

PyObject* get_grad(PyObject* self, void*) {
  return guarded([&] {
    const ValuePtr& value = value_of(self);
    if (!value->is_leaf() && !as_tensor(self)->grad && !retains_grad(value))
      checked(PyErr_WarnEx(
          PyExc_UserWarning,
          "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
          "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated "
          "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.",
          1));
    PyObject* grad = *grad_slot(self);
    return Object::borrowed(grad ? grad : Py_None).release();
  });
}
int set_grad(PyObject* self, PyObject* grad, void*) {
  return guarded(
      [&] {
        if (grad == Py_None) grad = nullptr;
        if (grad) {
          if (!is_tensor(grad))
            fail(ErrorKind::kType, "assigned grad expected to be a Tensor or None but got ", printed_type(grad));
          check(value_of(grad)->shape == value_of(self)->shape, "assigned grad has data of a different size: expected ",
                to_string(value_of(self)->shape->dims(), '[', ']'), ", got ",
                to_string(value_of(grad)->shape->dims(), '[', ']'));
          check(value_of(grad)->device() == value_of(self)->device(),
                "attempting to assign a gradient with device type '", name_of(value_of(grad)->device()),
                "' to a tensor with device type '", name_of(value_of(self)->device()),
                "'. Please ensure that the gradient and the tensor are on the same device");
          check(value_of(grad)->dtype == value_of(self)->dtype, "assigned grad has data of a different type: expected ",
                name_of(value_of(self)->dtype), ", got ", name_of(value_of(grad)->dtype));
        }
        Object old(std::exchange(*grad_slot(self), Object::borrowed(grad).release()));
        return 0;
      },
      -1);
}

PyObject* get_grad_fn(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    engine::check_history(variable_of(self));
    const ValuePtr& value = value_of(self);
    if (!value->requires_grad() || value->leaf) Py_RETURN_NONE;
    return grad_fn_object(value);
  });
}

PyObject* get_output_number(PyObject* self, void*) {
  return guarded([&] {
    const ValuePtr& value = value_of(self);
    return PyLong_FromLongLong(function_of(value.get()) ? (*value->attribute)[0] : 0);
  });
}

PyObject* get_data(PyObject* self, void*) {
  return guarded([&] { return wrap(engine::detached(variable_of(self), false)); });
}
int set_data(PyObject* self, PyObject* data, void*) {
  return guarded(
      [&] {
        check(data != nullptr, "Deleting tensor attributes is not allowed. Assign another tensor to .data instead.");
        if (!is_tensor(data)) fail(ErrorKind::kType, "Variable data has to be a tensor, but got ", printed_type(data));
        check(value_of(data)->device() == value_of(self)->device(),
              "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor "
              "type.");
        check(!value_of(self)->leaf || is_differentiable(value_of(data)->dtype),
              "data set to a tensor that requires gradients must be floating point or complex dtype");
        // What nobody else holds needs no sharing, which would make a view of it, unless it has a history, which is not
        // taken over, or the tensor has one, which it keeps.
        const ValuePtr& fresh = value_of(data);
        if (Py_REFCNT(data) == 1 && !variable_of(data).cell && fresh->is_leaf() && value_of(self)->is_leaf())
          engine::replace(variable_of(self), fresh);
        else
          engine::share_memory_of(variable_of(self), variable_of(data));
        return 0;
      },
      -1);
}

PyObject* get_transposed(PyObject* self, void*) {
  return guarded([&] {
    const Shape* shape = value_of(self)->shape;
    static bool told = false, told_of_number = false;
    if (shape->rank() == 0)
      warn_once(told_of_number, "Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases.");
    else if (shape->rank() != 2)
      warn_once(
          told,
          "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will "
          "throw an error in a future release. Consider `x.mT` to transpose batches of matrices or "
          "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor.");
    DimVector axes;
    for (int axis = shape->rank(); axis-- > 0;) axes.push_back(axis);
    return wrap_view(self, engine::view_of(variable_of(self), functions::permute_views(shape, axes)));
  });
}
// The last two axes swapped; a single number is itself, with a warning.
PyObject* matrix_transposed(PyObject* self, bool& told, const char* warning) {
  const Shape* shape = value_of(self)->shape;
  check(shape->rank() != 1, "tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.");
  if (shape->rank() == 0) warn_once(told, warning);
  return wrap_view(self,
                   engine::view_of(variable_of(self), shape->rank() == 0 ? functions::permute_views(shape, {})
                                                                         : functions::transpose_views(shape, -2, -1)));
}
PyObject* get_matrix_transposed(PyObject* self, void*) {
  return guarded([&] {
    static bool told = false;
    return matrix_transposed(self, told,
                             "Tensor.mT is deprecated on 0-D tensors. This function is the identity in these cases.");
  });
}
PyObject* get_matrix_hermitian(PyObject* self, void*) {
  return guarded([&] {
    static bool told = false;
    Object transposed(
        matrix_transposed(self, told, "Tensor.mH is deprecated on 0-D tensors. Consider using x.conj()."));
    if (!is_complex(value_of(self)->dtype)) return transposed.release();
    return wrap(build::conj(value_of(transposed.get())));
  });
}
PyObject* get_hermitian(PyObject* self, void*) {
  return guarded([&] {
    const Shape* shape = value_of(self)->shape;
    check(shape->rank() == 2 || shape->rank() == 0, "tensor.H is only supported on matrices (2-D tensors). Got ",
          shape->rank(), "-D tensor.", shape->rank() > 2 ? " For batches of matrices, consider using tensor.mH" : "");
    static bool told = false;
    if (shape->rank() == 0) warn_once(told, "Tensor.H is deprecated on 0-D tensors. Consider using x.conj().");
    DimVector axes;
    for (int axis = shape->rank(); axis-- > 0;) axes.push_back(axis);
    if (is_complex(value_of(self)->dtype)) return wrap(build::conj(build::permute(value_of(self), axes)));
    return wrap_view(self, engine::view_of(variable_of(self), functions::permute_views(shape, axes)));
  });
}
// real and imag, for reading and writing: views.
template <std::int64_t which>
PyObject* get_part(PyObject* self, void*) {
  return guarded([&] { return part_of(self, which); });
}
template <std::int64_t which>
int set_part(PyObject* self, PyObject* numbers, void*) {
  if (!numbers) {
    PyErr_SetString(PyExc_RuntimeError, "the parts of a complex tensor cannot be deleted");
    return -1;
  }
  Object part(get_part<which>(self, nullptr));
  Object done(part ? PyObject_CallMethod(part.get(), "copy_", "O", numbers) : nullptr);
  return done ? 0 : -1;
}
PyObject* get_itemsize(PyObject* self, void*) {
  return guarded([&] { return PyLong_FromSize_t(size_of(value_of(self)->dtype)); });
}
PyObject* get_version(PyObject* self, void*) {
  return guarded([&] {
    check(!value_of(self)->has(kInferenceMade), "Inference tensors do not track version counter.");
    return PyLong_FromUnsignedLong(engine::changes_of(variable_of(self)));
  });
}
PyObject* get_base(PyObject* self, void*) {
  return guarded([&] {
    PyObject* base = value_of(self)->has(kInferenceMade) ? nullptr : base_of(self);
    return base ? base : Object::borrowed(Py_None).release();
  });
}
PyObject* get_retains_grad(PyObject* self, void*) {
  return guarded([&] { return PyBool_FromLong(retains_grad(value_of(self))); });
}
PyObject* get_is_inference(PyObject* self, void*) {
  return guarded([&] { return PyBool_FromLong(value_of(self)->has(kInferenceMade)); });
}

}  // namespace

PyGetSetDef g_tensor_properties[] = {
    {"shape", get_shape, nullptr, "The sizes of the axes.", nullptr},
    {"ndim", get_ndim, nullptr, "The number of axes.", nullptr},
    {"dtype", get_dtype, nullptr, "The type of the elements.", nullptr},
    {"device", get_device, nullptr, "Where it is: the CPU, or meta, which is nowhere.", nullptr},
    {"is_meta", get_is_meta, nullptr, "Whether it has a shape and a type only, and no numbers.", nullptr},
    {"requires_grad", get_requires_grad, set_requires_grad_property,
     "Whether operations on it are recorded for differentiation.", nullptr},
    {"is_leaf", get_is_leaf, nullptr, "Whether no recorded operation made it.", nullptr},
    {"grad", get_grad, set_grad, "The gradient that backward() has accumulated, or None.", nullptr},
    {"grad_fn", get_grad_fn, nullptr, "The recorded operation that made it, or None.", nullptr},
    {"output_nr", get_output_number, nullptr, "Which of grad_fn's outputs it is.", nullptr},
    {"data", get_data, set_data, "The same numbers without history.", nullptr},
    {"T", get_transposed, nullptr, "A view with the axes reversed.", nullptr},
    {"mT", get_matrix_transposed, nullptr, "A view with the last two axes swapped.", nullptr},
    {"H", get_hermitian, nullptr, "A matrix transposed and conjugated; for real numbers T.", nullptr},
    {"mH", get_matrix_hermitian, nullptr, "Each matrix transposed and conjugated; for real numbers mT.", nullptr},
    {"real", get_part<0>, set_part<0>, "The real parts, as a view; real numbers themselves.", nullptr},
    {"imag", get_part<1>, set_part<1>, "The imaginary parts, as a view.", nullptr},
    {"layout", get_layout, nullptr, "strided: elements lie at equal distances along each axis.", nullptr},
    {"itemsize", get_itemsize, nullptr, "Bytes an element.", nullptr},
    {"_version", get_version, nullptr, nullptr, nullptr},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {"_retains_grad", get_retains_grad, nullptr, nullptr, nullptr},
    {"_base", get_base, nullptr, "The tensor that this one is a view of, or None.", nullptr},
    {"_is_inference", get_is_inference, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace lamina::bindings

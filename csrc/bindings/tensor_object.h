// The hot Tensor type: a CPython object around a Variable.
#pragma once

#include "bindings/node_state.h"
#include "bindings/python.h"
#include "engine/variable.h"

namespace lamina::bindings {

struct TensorObject {
  PyObject_HEAD engine::Variable variable;
  PyObject* grad;  // of tensors that are not leaves; a leaf's is in its LeafGrad
  PyObject* dict;
  PyObject* weak_references;
};

extern PyTypeObject* g_tensor_type;
// Makes the type with all methods registered so far; adds it to the module.
void bind_tensor_type(PyObject* module);

inline bool is_tensor(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);  // most are tensors or parameters
  return type == g_tensor_type || type->tp_base == g_tensor_type || PyType_IsSubtype(type, g_tensor_type);
}
inline TensorObject* as_tensor(PyObject* object) { return reinterpret_cast<TensorObject*>(object); }
inline const ValuePtr& value_of(PyObject* tensor) { return engine::current(as_tensor(tensor)->variable); }

// Raises ValueError for an uninitialized parameter: a tensor of the class that Python named as such.
void set_uninitialized_type(PyTypeObject* type);
void fail_uninitialized(const char* function);
extern PyTypeObject* g_uninitialized_type;
inline void check_initialized(PyObject* tensor, const char* function) {
  if (Py_TYPE(tensor) == g_tensor_type || !g_uninitialized_type) return;
  if (PyType_IsSubtype(Py_TYPE(tensor), g_uninitialized_type)) fail_uninitialized(function);
}

// A new plain Tensor; never runs anything, so that it can be called while a program is half recorded.
PyObject* wrap_quietly(engine::Variable variable);
// A new plain Tensor. Runs what is due, so call it last.
PyObject* wrap(engine::Variable variable);
PyObject* wrap(ValuePtr value);
// A new plain Tensor, a view of `base`.
PyObject* wrap_view(PyObject* base, engine::Variable view);
// The tensor that a view is a view of; null if it is none.
PyObject* base_of(PyObject* tensor);
// A tuple of new tensors.
PyObject* wrap_tuple(std::vector<ValuePtr> values);

// An instance of a Python subclass that shares data's numbers.
PyObject* make_subclass(PyTypeObject* type, PyObject* data, bool requires_grad);

// The leaf's gradient slot, if the tensor is a leaf that requires a gradient.
LeafGrad* leaf_grad(PyObject* tensor);
PyObject** grad_slot(PyObject* tensor);
void set_requires_grad(PyObject* tensor, bool requires_grad);

// Slot functions defined in files of their own.
PyObject* tensor_subscript(PyObject* self, PyObject* key);
int tensor_assign_subscript(PyObject* self, PyObject* key, PyObject* value);
int tensor_get_buffer(PyObject* self, Py_buffer* view, int flags);
void tensor_release_buffer(PyObject* self, Py_buffer* view);
extern PyGetSetDef g_tensor_properties[];
extern PyType_Slot g_number_slots[];

}  // namespace lamina::bindings

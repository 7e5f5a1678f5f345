// Error translation and type creation.
#include "bindings/python.h"

#include <new>

#include "support/check.h"

namespace lamina::bindings {

void translate_exception() {
  try {
    throw;
  } catch (const PythonError&) {
    return;  // set already
  } catch (const Error& error) {
    PyObject* type = nullptr;
    switch (error.kind()) {
      case ErrorKind::kRuntime:
        type = PyExc_RuntimeError;
        break;
      case ErrorKind::kIndex:
        type = PyExc_IndexError;
        break;
      case ErrorKind::kType:
        type = PyExc_TypeError;
        break;
      case ErrorKind::kValue:
        type = PyExc_ValueError;
        break;
      case ErrorKind::kNotImplemented:
        type = PyExc_NotImplementedError;
        break;
    }
    PyErr_SetString(type, error.what());
  } catch (const std::bad_alloc&) {
    PyErr_SetString(PyExc_MemoryError, "lamina: not enough memory for the result; nothing was changed");
  } catch (const std::exception& error) {
    PyErr_Format(PyExc_SystemError, "lamina internal error: %s", error.what());
  }
}

PyTypeObject* make_type(PyType_Spec& spec, PyTypeObject* base) {
  PyObject* type = base ? PyType_FromSpecWithBases(&spec, reinterpret_cast<PyObject*>(base)) : PyType_FromSpec(&spec);
  return reinterpret_cast<PyTypeObject*>(checked(type));
}

}  // namespace lamina::bindings

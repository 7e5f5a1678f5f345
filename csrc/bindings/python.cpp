// Error translation and type creation.
#include "bindings/python.h"

#include <new>
#include <string_view>

#include "engine/variable.h"
#include "runtime/buffer.h"
#include "support/check.h"

namespace lamina::bindings {

std::string printed_type(PyObject* object) {
  constexpr std::string_view kOwn = "lamina.";
  std::string_view name = Py_TYPE(object)->tp_name;
  if (name == "lamina.Tensor") return "Tensor";
  if (!name.starts_with(kOwn)) return std::string(name);
  return std::string(kPrintedPackage) + "." + std::string(name.substr(kOwn.size()));
}

void translate_exception() {
  engine::abandon_operation();
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
  } catch (const runtime::OutOfMemory& error) {
    PyErr_Format(PyExc_MemoryError, "lamina: %s; nothing was changed", error.what());
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

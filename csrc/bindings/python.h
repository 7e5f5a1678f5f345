// Small owners and error passing for the CPython API, as far as pybind11 is too slow or too coarse.
#pragma once

#include <Python.h>

#include <string>
#include <utility>

namespace lamina::bindings {

// An exception is set in the interpreter; unwinds to the entry point, which returns null.
struct PythonError {};

inline PyObject* checked(PyObject* object) {
  if (!object) throw PythonError{};
  return object;
}
inline void checked(int status) {
  if (status < 0) throw PythonError{};
}

// Owns one reference.
class Object {
 public:
  Object() = default;
  explicit Object(PyObject* owned) : object_(owned) {}
  static Object borrowed(PyObject* object) {
    Py_XINCREF(object);
    return Object(object);
  }
  Object(Object&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Object(const Object& other) : object_(other.object_) { Py_XINCREF(object_); }
  Object& operator=(Object other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Object() { Py_XDECREF(object_); }

  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

// Texts say `torch.float32` and `torch.Size([2])`, as PyTorch's do; docs/adr/0010-printed-names.md has the reasons.
inline constexpr char kPrintedPackage[] = "torch";
inline constexpr char kDTypeText[] = "torch.dtype";
// The name of an object's type, as messages print it.
std::string printed_type(PyObject* object);

// Sets the Python exception for the C++ exception that is being handled.
void translate_exception();

// Runs `body`, which returns a new reference or a status, and turns exceptions into `failure`.
template <typename Body, typename Result>
Result guarded(Body&& body, Result failure) {
  try {
    return body();
  } catch (...) {
    translate_exception();
    return failure;
  }
}
template <typename Body>
PyObject* guarded(Body&& body) {
  return guarded(std::forward<Body>(body), static_cast<PyObject*>(nullptr));
}

// A private type object made from `spec`, kept for the life of the process.
PyTypeObject* make_type(PyType_Spec& spec, PyTypeObject* base = nullptr);

}  // namespace lamina::bindings

// Forwards that need no frame of Python. Tests: tests/python/test_nn_attributes_and_calls.py.
#include "bindings/direct_forward.h"

#include <cstddef>
#include <unordered_map>

#include "bindings/python.h"

namespace lamina::bindings {

namespace {

constexpr std::size_t kMostAttributes = 6;

}  // namespace

struct DirectForward {
  PyObject* function = nullptr;
  PyObject* unless = nullptr;
  PyObject* attributes[kMostAttributes] = {};
  std::size_t count = 0;
};

namespace {

// By the method's address. Methods that stand here, and what is said of them, are kept for the life of the process.
std::unordered_map<PyObject*, DirectForward>& methods() {
  static auto* all = new std::unordered_map<PyObject*, DirectForward>;
  return *all;
}

PyObject* note(PyObject* said, PyObject* method) {
  PyObject* attributes = PyTuple_GET_ITEM(said, 1);
  DirectForward direct;
  direct.function = PyTuple_GET_ITEM(said, 0);
  PyObject* unless = PyTuple_GET_ITEM(said, 2);
  direct.unless = unless == Py_None ? nullptr : unless;
  direct.count = static_cast<std::size_t>(PyTuple_GET_SIZE(attributes));
  for (std::size_t i = 0; i < direct.count; ++i)
    direct.attributes[i] = PyTuple_GET_ITEM(attributes, static_cast<Py_ssize_t>(i));
  if (methods().emplace(method, direct).second) {
    Py_INCREF(said);
    Py_INCREF(method);
  }
  return Object::borrowed(method).release();
}

PyMethodDef g_note = {"note", note, METH_O, nullptr};

PyObject* forward_calls(PyObject*, PyObject* args, PyObject* keywords) {
  PyObject* unless = keywords ? PyDict_GetItemString(keywords, "unless") : Py_None;
  Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (!unless || count < 1 || count > static_cast<Py_ssize_t>(kMostAttributes) + 1)
    return PyErr_Format(PyExc_TypeError, "expected a function and up to %zu attributes", kMostAttributes);
  return guarded([&] {
    Object attributes(checked(PyTuple_GetSlice(args, 1, count)));
    Object said(checked(PyTuple_Pack(3, PyTuple_GET_ITEM(args, 0), attributes.get(), unless)));
    return checked(PyCFunction_New(&g_note, said.get()));
  });
}

PyMethodDef g_functions[] = {
    {"forward_calls", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(forward_calls)),
     METH_VARARGS | METH_KEYWORDS, "A decorator of methods that only call this function."},
    {}};

}  // namespace

const DirectForward* direct_forward(PyObject* function) {
  auto found = methods().find(function);
  return found == methods().end() ? nullptr : &found->second;
}

PyObject* call_directly(const DirectForward& direct, PyObject* self, PyObject* input) {
  if (direct.unless && Object(checked(PyObject_GetAttr(self, direct.unless))).get() != Py_False) return nullptr;
  Object values[kMostAttributes];
  PyObject* arguments[kMostAttributes + 1] = {input};
  for (std::size_t i = 0; i < direct.count; ++i) {
    values[i] = Object(checked(PyObject_GetAttr(self, direct.attributes[i])));
    arguments[i + 1] = values[i].get();
  }
  checked(Py_EnterRecursiveCall(" while calling a Python object"));  // as a frame would: modules may hold themselves
  PyObject* result = PyObject_Vectorcall(direct.function, arguments, direct.count + 1, nullptr);
  Py_LeaveRecursiveCall();
  return checked(result);
}

void bind_direct_forward(PyObject* module) { checked(PyModule_AddFunctions(module, g_functions)); }

}  // namespace lamina::bindings

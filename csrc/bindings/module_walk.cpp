// Walks over a tree of modules that are made once a training step. Tests: tests/python/test_nn_module.py.
#include <unordered_set>
#include <utility>
#include <vector>

#include "bindings/registry.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

PyObject* interned(const char* text) { return checked(PyUnicode_InternFromString(text)); }

// Borrowed; null if the object keeps no such dict.
PyObject* dict_of(PyObject* module, PyObject* name) {
  Object attributes(PyObject_GenericGetDict(module, nullptr));
  if (!attributes) throw PythonError{};
  PyObject* found = PyDict_GetItemWithError(attributes.get(), name);
  if (!found && PyErr_Occurred()) throw PythonError{};
  return found && PyDict_Check(found) ? found : nullptr;
}

// Does `type` walk its tree in the way of `base`?
bool walks_as(PyTypeObject* type, PyTypeObject* base) {
  static PyObject* const kWalks[] = {interned("parameters"), interned("named_parameters"), interned("named_modules"),
                                     interned("_named_members")};
  if (!PyType_IsSubtype(type, base)) return false;
  for (PyObject* name : kWalks)
    if (_PyType_Lookup(type, name) != _PyType_Lookup(base, name)) return false;
  return true;
}

}  // namespace

// Drops the gradients of all parameters below the module. Returns False, and changes nothing, if a module there has its
// own idea of what is below it: a class that defines what `base`'s walks do.
LAMINA_FUNCTION(kModule, _forget_gradients_below, "module, base") {
  static PyObject *const kModules = interned("_modules"), *const kParameters = interned("_parameters");
  if (!PyType_Check(a.object(1))) a.fail_type(1, "class");
  auto* base = reinterpret_cast<PyTypeObject*>(a.object(1));
  std::vector<PyObject*> modules{a.object(0)};
  std::unordered_set<PyObject*> seen;
  std::vector<Object> parameters;
  for (std::size_t next = 0; next < modules.size(); ++next) {
    if (!walks_as(Py_TYPE(modules[next]), base)) Py_RETURN_FALSE;
    PyObject *below = dict_of(modules[next], kModules), *own = dict_of(modules[next], kParameters);
    if (!below || !own) Py_RETURN_FALSE;
    PyObject *key, *member;
    for (Py_ssize_t at = 0; PyDict_Next(own, &at, &key, &member);)
      if (is_tensor(member)) parameters.push_back(Object::borrowed(member));
    for (Py_ssize_t at = 0; PyDict_Next(below, &at, &key, &member);)
      if (member != Py_None && seen.insert(member).second) modules.push_back(member);
  }
  for (const Object& parameter : parameters)
    if (PyObject** slot = grad_slot(parameter.get()); *slot) Object old(std::exchange(*slot, nullptr));
  Py_RETURN_TRUE;
}

}  // namespace lamina::bindings

// The parts of nn.Module that every layer of every network pays for at each call: finding attributes, and calling
// forward. Tests: tests/python/test_nn_attributes_and_calls.py, test_nn_hooks.py.
#include "bindings/module_type.h"

#include <vector>

#include "bindings/python.h"
#include "graph/scope.h"

namespace lamina::bindings {

namespace {

// The hooks on every module: dicts.
PyObject* g_pre_hooks;
PyObject* g_hooks;

struct Names {
  PyObject* registries[3] = {checked(PyUnicode_InternFromString("_parameters")),
                             checked(PyUnicode_InternFromString("_modules")),
                             checked(PyUnicode_InternFromString("_buffers"))};
  PyObject* getattr = checked(PyUnicode_InternFromString("__getattr__"));
  PyObject* scope_name = checked(PyUnicode_InternFromString("_scope_name"));
  PyObject* pre_hooks = checked(PyUnicode_InternFromString("_forward_pre_hooks"));
  PyObject* hooks = checked(PyUnicode_InternFromString("_forward_hooks"));
  PyObject* forward = checked(PyUnicode_InternFromString("forward"));
};
const Names& names() {
  static const Names* all = new Names;
  return *all;
}

// Borrowed; null if there is none.
PyObject* item(PyObject* dict, PyObject* key) {
  PyObject* found = PyDict_GetItemWithError(dict, key);
  if (!found && PyErr_Occurred()) throw PythonError{};
  return found;
}

class Scope {
 public:
  explicit Scope(std::string_view name) : outer_(enter_scope(name)) {}
  ~Scope() { leave_scope(outer_); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  std::uint32_t outer_;
};

struct Call {
  PyObject* self;
  PyObject* const* args;
  Py_ssize_t count;
  PyObject* keywords;  // names of the arguments after the first `count`; or null

  PyObject* forward(PyObject* dict) const;
  PyObject* with_hooks() const;
};

PyObject* Call::forward(PyObject* dict) const {
  auto given = static_cast<std::size_t>(count);
  if (PyObject* own = item(dict, names().forward)) return PyObject_Vectorcall(own, args, given, keywords);
  PyObject* function = _PyType_Lookup(Py_TYPE(self), names().forward);
  if (!function || !PyFunction_Check(function)) {
    Object bound(checked(PyObject_GetAttr(self, names().forward)));
    return PyObject_Vectorcall(bound.get(), args, given, keywords);
  }
  Object kept = Object::borrowed(function);
  std::size_t all = given + (keywords ? static_cast<std::size_t>(PyTuple_GET_SIZE(keywords)) : 0);
  constexpr std::size_t kFew = 7;
  PyObject* few[kFew + 1];
  std::vector<PyObject*> many;
  PyObject** with_self = few;
  if (all > kFew) {
    many.resize(all + 1);
    with_self = many.data();
  }
  with_self[0] = self;
  for (std::size_t i = 0; i < all; ++i) with_self[i + 1] = args[i];
  return PyObject_Vectorcall(function, with_self, given + 1, keywords);
}

PyObject* Call::with_hooks() const {
  Object positional(checked(PyTuple_New(count))), named(checked(PyDict_New()));
  for (Py_ssize_t i = 0; i < count; ++i) PyTuple_SET_ITEM(positional.get(), i, Object::borrowed(args[i]).release());
  for (Py_ssize_t i = 0; keywords && i < PyTuple_GET_SIZE(keywords); ++i)
    checked(PyDict_SetItem(named.get(), PyTuple_GET_ITEM(keywords, i), args[count + i]));
  return PyObject_CallMethod(self, "_call_with_hooks", "OO", positional.get(), named.get());
}

PyObject* call_module(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  return guarded([&]() -> PyObject* {
    Object dict(checked(PyObject_GenericGetDict(self, nullptr)));
    PyObject* name = item(dict.get(), names().scope_name);
    PyObject* pre_hooks = item(dict.get(), names().pre_hooks);
    PyObject* hooks = item(dict.get(), names().hooks);
    if (!name || !pre_hooks || !hooks) {
      Object explained(checked(PyObject_CallMethod(self, "_require_init", "s", "run")));
      PyErr_SetString(PyExc_AttributeError, "the module's own attributes are missing");
      throw PythonError{};
    }
    bool hooked = false;
    for (PyObject* each : {pre_hooks, hooks, g_pre_hooks, g_hooks}) hooked |= PyDict_GET_SIZE(each) != 0;
    const char* text = name == Py_None ? Py_TYPE(self)->tp_name : PyUnicode_AsUTF8(name);
    if (!text) throw PythonError{};
    Scope scope(text);
    Call call{self, args, count, keywords};
    return hooked ? call.with_hooks() : call.forward(dict.get());
  });
}

// What object.__getattribute__ and then ModuleTree.__getattr__ find, without calling the latter where it would succeed.
PyObject* get_attribute(PyObject* self, PyObject* name) {
  return guarded([&]() -> PyObject* {
    PyObject* found = _PyObject_GenericGetAttrWithDict(self, name, nullptr, 1);
    if (found) return found;
    if (PyErr_Occurred()) throw PythonError{};
    Object dict(checked(PyObject_GenericGetDict(self, nullptr)));
    for (PyObject* key : names().registries) {
      PyObject* registry = item(dict.get(), key);
      PyObject* member = registry && PyDict_Check(registry) ? item(registry, name) : nullptr;
      if (member) return Object::borrowed(member).release();
    }
    Object fallback(checked(PyObject_GetAttr(reinterpret_cast<PyObject*>(Py_TYPE(self)), names().getattr)));
    return PyObject_CallFunctionObjArgs(fallback.get(), self, name, nullptr);
  });
}

// Assigning __getattr__ or __getattribute__ to the class, or to one above it, makes Python undo this.
PyObject* find_attributes_fast(PyObject*, PyObject* type) {
  if (!PyType_Check(type)) return PyErr_Format(PyExc_TypeError, "expected a class");
  reinterpret_cast<PyTypeObject*>(type)->tp_getattro = get_attribute;
  PyType_Modified(reinterpret_cast<PyTypeObject*>(type));
  Py_RETURN_NONE;
}

PyMethodDef g_definition = {"__call__", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_module)),
                            METH_FASTCALL | METH_KEYWORDS,
                            "Run the forward pre-hooks, `forward` and the forward hooks."};

PyObject* make_module_call(PyObject*, PyObject* args) {
  if (!PyArg_ParseTuple(args, "O!O!", &PyDict_Type, &g_pre_hooks, &PyDict_Type, &g_hooks)) return nullptr;
  Py_INCREF(g_pre_hooks);
  Py_INCREF(g_hooks);
  return PyDescr_NewMethod(&PyBaseObject_Type, &g_definition);
}

PyMethodDef g_functions[] = {{"make_module_call", make_module_call, METH_VARARGS, nullptr},
                             {"find_attributes_fast", find_attributes_fast, METH_O, nullptr},
                             {}};

}  // namespace

void bind_module_type(PyObject* module) { checked(PyModule_AddFunctions(module, g_functions)); }

}  // namespace lamina::bindings

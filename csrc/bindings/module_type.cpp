// The parts of nn.Module that every layer of every network pays for at each call: finding attributes, and calling
// forward. Tests: tests/python/test_nn_attributes_and_calls.py, test_nn_hooks.py.
#include "bindings/module_type.h"

#include <cstdint>
#include <iterator>
#include <vector>

#include "bindings/python.h"
#include "graph/scope.h"

namespace lamina::bindings {

namespace {

struct Names {
  PyObject* registries[3] = {checked(PyUnicode_InternFromString("_parameters")),
                             checked(PyUnicode_InternFromString("_modules")),
                             checked(PyUnicode_InternFromString("_buffers"))};
  PyObject* getattr = checked(PyUnicode_InternFromString("__getattr__"));
  PyObject* scope_name = checked(PyUnicode_InternFromString("_scope_name"));
  PyObject* own_hooks[4] = {checked(PyUnicode_InternFromString("_forward_pre_hooks")),
                            checked(PyUnicode_InternFromString("_forward_hooks")),
                            checked(PyUnicode_InternFromString("_backward_pre_hooks")),
                            checked(PyUnicode_InternFromString("_backward_hooks"))};
  PyObject* global_hooks[4] = {checked(PyUnicode_InternFromString("_global_forward_pre_hooks")),
                               checked(PyUnicode_InternFromString("_global_forward_hooks")),
                               checked(PyUnicode_InternFromString("_global_backward_pre_hooks")),
                               checked(PyUnicode_InternFromString("_global_backward_hooks"))};
  PyObject* forward = checked(PyUnicode_InternFromString("forward"));
  PyObject* call = checked(PyUnicode_InternFromString("__call__"));
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

// Whether one of these dicts of hooks, found by name in `owner`, is not empty, or not there: Python explains that.
bool any_hooks(PyObject* owner, PyObject* const (&keys)[4]) {
  for (PyObject* key : keys) {
    PyObject* hooks = item(owner, key);
    if (!hooks || !PyDict_Check(hooks) || PyDict_GET_SIZE(hooks) != 0) return true;
  }
  return false;
}

// The dicts of the hooks on every module stand in the namespace of nn.modules.module.
PyObject* g_namespace;

bool any_global_hooks() {
#if PY_VERSION_HEX < 0x030C0000
  // As long as the namespace is what it was, the dicts are those that were found last.
  static std::uint64_t version = 0;
  static auto* found = new Object[4];  // outlives the interpreter
  std::uint64_t now = reinterpret_cast<PyDictObject*>(g_namespace)->ma_version_tag;
  if (version != now) {
    for (int i = 0; i < 4; ++i) {
      PyObject* hooks = item(g_namespace, names().global_hooks[i]);
      if (!hooks || !PyDict_Check(hooks)) return true;
      found[i] = Object::borrowed(hooks);
    }
    version = now;
  }
  for (int i = 0; i < 4; ++i)
    if (PyDict_GET_SIZE(found[i].get()) != 0) return true;
  return false;
#else
  return any_hooks(g_namespace, names().global_hooks);
#endif
}

// The scope of a module of this name in the current one. Scopes asked for lately are found by the name's address; the
// table keeps the names, so that an address stays its name's.
std::uint32_t scope_of(PyObject* self, PyObject* name) {
  std::uint32_t parent = current_scope();
  if (name == Py_None) return scope_below(parent, Py_TYPE(self)->tp_name);
  struct Known {
    std::uint32_t parent = 0, scope = 0;
    PyObject* name = nullptr;
  };
  static Known table[1024];
  Known& known = table[(reinterpret_cast<std::uintptr_t>(name) / 16 + parent * 31) % std::size(table)];
  if (known.name != name || known.parent != parent) {
    const char* text = PyUnicode_AsUTF8(name);
    if (!text) throw PythonError{};
    Object old(known.name);
    known = {parent, scope_below(parent, text), Object::borrowed(name).release()};
  }
  return known.scope;
}

class Scope {
 public:
  explicit Scope(std::uint32_t scope) : outer_(enter_scope(scope)) {}
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
  if (Object own(Py_XNewRef(item(dict, names().forward))); own)
    return PyObject_Vectorcall(own.get(), args, given, keywords);
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
    if (!name) {
      Object explained(checked(PyObject_CallMethod(self, "_require_init", "s", "run")));
      PyErr_SetString(PyExc_AttributeError, "the module's own attributes are missing");
      throw PythonError{};
    }
    bool hooked = any_hooks(dict.get(), names().own_hooks) || any_global_hooks();
    Scope scope(scope_of(self, name));
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

PyObject* g_call;  // what make_module_call made

// Sequential.forward: the modules of a dict in a row, each one's output the next one's input.
PyObject* call_in_row(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (count != 2 || !PyDict_Check(args[0])) return PyErr_Format(PyExc_TypeError, "expected a dict and an input");
  return guarded([&] {
    std::vector<Object> modules;  // a module may change the dict
    modules.reserve(static_cast<std::size_t>(PyDict_GET_SIZE(args[0])));
    PyObject *key, *module;
    for (Py_ssize_t at = 0; PyDict_Next(args[0], &at, &key, &module);) modules.push_back(Object::borrowed(module));
    Object value = Object::borrowed(args[1]);
    for (const Object& each : modules) {
      PyObject* input = value.get();
      bool usual = _PyType_Lookup(Py_TYPE(each.get()), names().call) == g_call;
      value =
          Object(checked(usual ? call_module(each.get(), &input, 1, nullptr) : PyObject_CallOneArg(each.get(), input)));
    }
    return value.release();
  });
}

PyObject* make_module_call(PyObject*, PyObject* args) {
  if (!PyArg_ParseTuple(args, "O!", &PyDict_Type, &g_namespace)) return nullptr;
  Py_INCREF(g_namespace);
  g_call = PyDescr_NewMethod(&PyBaseObject_Type, &g_definition);
  Py_XINCREF(g_call);
  return g_call;
}

PyMethodDef g_functions[] = {
    {"make_module_call", make_module_call, METH_VARARGS, nullptr},
    {"call_in_row", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_in_row)), METH_FASTCALL, nullptr},
    {"find_attributes_fast", find_attributes_fast, METH_O, nullptr},
    {}};

}  // namespace

void bind_module_type(PyObject* module) { checked(PyModule_AddFunctions(module, g_functions)); }

}  // namespace lamina::bindings

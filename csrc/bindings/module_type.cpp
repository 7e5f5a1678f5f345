// The parts of nn.Module that every layer of every network pays for at each call: finding attributes, and calling
// forward. Tests: tests/python/test_nn_attributes_and_calls.py, test_nn_hooks.py.
#include "bindings/module_type.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "bindings/dict_version.h"
#include "bindings/direct_forward.h"
#include "bindings/python.h"
#include "bindings/tensor_object.h"
#include "bindings/two_way_table.h"
#include "engine/profile.h"
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

// In a cache line of its own: a deep net's do not stay in the caches from one pass to the next.
template <typename Entry>
struct alignas(64) Line : Entry {};

// The four dicts of hooks that stand under these names in `owner`, an empty one in place of each that is not there;
// null for what Python shall explain.
struct Hooks {
  PyObject* dicts[4] = {};  // borrowed from the owner

  void find(PyObject* owner, PyObject* const (&keys)[4]) {
    static PyObject* const none = checked(PyDict_New());
    for (int i = 0; i < 4; ++i) {
      PyObject* hooks = item(owner, keys[i]);
      dicts[i] = !hooks ? none : PyDict_Check(hooks) ? hooks : nullptr;
    }
  }
  bool any() const {
    for (PyObject* hooks : dicts)
      if (!hooks || PyDict_GET_SIZE(hooks) != 0) return true;
    return false;
  }
};

// The dicts of the hooks on every module stand in the namespace of nn.modules.module.
PyObject* g_namespace;

bool any_global_hooks() {
  static std::uint64_t version = 0;
  static Hooks found;
  std::uint64_t now = version_of(g_namespace);
  if (version != now || now == 0) found.find(g_namespace, names().global_hooks);
  version = now;
  return found.any();
}

// What a call needs of a module's __dict__, borrowed from there. The result is the next call's.
struct Members {
  std::uint64_t version = 0;
  PyObject* scope_name = nullptr;
  PyObject* own_forward = nullptr;
  Hooks hooks;
  std::uint32_t parent = 0, scope = 0;  // the scope that it had below `parent` when it was last called; 0: none yet
};
static_assert(sizeof(Line<Members>) == 64);
Members& members_of(PyObject* dict) {
  static TwoWayTable<13, Line<Members>> table;
  std::uint64_t version = version_of(dict);
  const auto is_it = [version](const Members& one) { return one.version == version; };
  Members& known = table.find_or_replace(version, 0, is_it);
  if (known.version != version || version == 0) {
    known = {};
    known.scope_name = item(dict, names().scope_name);
    known.own_forward = item(dict, names().forward);
    known.hooks.find(dict, names().own_hooks);
    known.version = version;
  }
  return known;
}

// The same of a class: changed, it and all below it have none; looking something up there gives it a new one.
unsigned type_version_of(PyTypeObject* type) {
#if PY_VERSION_HEX < 0x030D0000  // since then nobody sets the flag
  if (!PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG)) return 0;
#endif
  return type->tp_version_tag;
}

// A class's forward, borrowed from there, and what is said of it. The result is the next call's.
struct Forward {
  unsigned type_version = 0;
  PyObject* function = nullptr;
  const DirectForward* direct = nullptr;
};
const Forward& forward_of(PyTypeObject* type) {
  static Forward table[256];
  unsigned version = type_version_of(type);
  Forward& known = table[version % std::size(table)];
  if (known.type_version != version || version == 0) {
    known.function = _PyType_Lookup(type, names().forward);
    known.direct = known.function ? direct_forward(known.function) : nullptr;
    known.type_version = version;
  }
  return known;
}

// Borrowed; null if there is none.
PyObject* dict_of(PyObject* self) {
  PyObject** place = _PyObject_GetDictPtr(self);
  return place ? *place : nullptr;
}

// The scope of a module in the current one. Without a name of its own it has its class's, which may change.
std::uint32_t scope_of(PyObject* self, Members& members) {
  const std::uint32_t parent = current_scope();
  if (members.scope != 0 && members.parent == parent) return members.scope;
  const bool named = members.scope_name != Py_None;
  PyObject* name = named ? members.scope_name : reinterpret_cast<PyHeapTypeObject*>(Py_TYPE(self))->ht_name;
  const char* text = PyUnicode_AsUTF8(name);
  if (!text) throw PythonError{};
  const std::uint32_t scope = scope_below(parent, text);
  if (named) members.parent = parent, members.scope = scope;
  return scope;
}

// `own`: the forward that the module itself has, or null; then the class's is called without binding it.
PyObject* call_forward(PyObject* self, PyObject* own, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  auto given = static_cast<std::size_t>(count);
  if (own) {
    Object kept = Object::borrowed(own);
    return PyObject_VectorcallDict(own, args, given, keywords);
  }
  auto [version, function, direct] = forward_of(Py_TYPE(self));
  if (direct && given == 1 && !keywords)
    if (PyObject* result = call_directly(*direct, self, args[0])) return result;
  constexpr std::size_t kFew = 7;
  if (!function || !PyFunction_Check(function) || given > kFew) {
    Object bound(checked(PyObject_GetAttr(self, names().forward)));
    return PyObject_VectorcallDict(bound.get(), args, given, keywords);
  }
  Object kept = Object::borrowed(function);
  PyObject* with_self[kFew + 1] = {self};
  for (std::size_t i = 0; i < given; ++i) with_self[i + 1] = args[i];
  return PyObject_VectorcallDict(function, with_self, given + 1, keywords);
}

PyObject* call_with_hooks(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  Object positional(checked(PyTuple_New(count)));
  Object named(keywords ? Object::borrowed(keywords) : Object(checked(PyDict_New())));
  for (Py_ssize_t i = 0; i < count; ++i) PyTuple_SET_ITEM(positional.get(), i, Object::borrowed(args[i]).release());
  return PyObject_CallMethod(self, "_call_with_hooks", "OO", positional.get(), named.get());
}

PyObject* call_with_scope(PyObject* self, Members& members, PyObject* const* args, Py_ssize_t count,
                          PyObject* keywords) {
  ScopeGuard scope(scope_of(self, members));
  if (members.hooks.any() || any_global_hooks()) return call_with_hooks(self, args, count, keywords);
  return call_forward(self, members.own_forward, args, count, keywords);
}

// What an outermost module returns is computed even if the program drops it: that is what shall be measured.
void keep_for_profile(PyObject* result) {
  if (is_tensor(result)) engine::keep_result(value_of(result));
  if (PyTuple_Check(result))
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(result); ++i) keep_for_profile(PyTuple_GET_ITEM(result, i));
  PyObject *key, *value;
  if (PyDict_Check(result))
    for (Py_ssize_t at = 0; PyDict_Next(result, &at, &key, &value);) keep_for_profile(value);
}

PyObject* call_profiled(PyObject* self, Members& members, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  count_call(scope_of(self, members));
  PyObject* result = call_with_scope(self, members, args, count, keywords);
  if (result && engine::profiling() && path_of(current_scope()) == 0) keep_for_profile(result);
  return result;
}

// keywords: a dict, or null.
PyObject* run(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  PyObject* dict = dict_of(self);
  Members* members = dict ? &members_of(dict) : nullptr;
  if (!members || !members->scope_name) {
    Object explained(checked(PyObject_CallMethod(self, "_require_init", "s", "run")));
    PyErr_SetString(PyExc_AttributeError, "the module's own attributes are missing");
    throw PythonError{};
  }
  if (engine::profiling()) [[unlikely]]
    return call_profiled(self, *members, args, count, keywords);
  return call_with_scope(self, *members, args, count, keywords);
}

PyObject* call_module(PyObject* self, PyObject* args, PyObject* keywords) {
  return guarded(
      [&] { return run(self, reinterpret_cast<PyTupleObject*>(args)->ob_item, PyTuple_GET_SIZE(args), keywords); });
}

PyMethodDef g_definition = {"__call__", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_module)),
                            METH_VARARGS | METH_KEYWORDS,
                            "__call__($self, /, *args, **kwargs)\n--\n\n"  // what inspect.signature reads
                            "Run the forward pre-hooks, `forward` and the forward hooks."};
PyObject* g_call;  // what make_module_call made

// What the module, or a registry of its, has under a name that its class does not have; borrowed, or null.
PyObject* find_member(PyObject* self, PyObject* dict, PyObject* name) {
  struct Known {
    std::uint64_t version = 0, holder_version = 0;
    unsigned type_version = 0;
    PyObject *name = nullptr, *holder = nullptr, *value = nullptr;  // of these only the name is owned
  };
  static TwoWayTable<14, Line<Known>> table;
  std::uint64_t version = version_of(dict);
  unsigned type_version = type_version_of(Py_TYPE(self));
  const auto is_it = [=](const Known& one) { return one.version == version && one.name == name; };
  Known& known = table.find_or_replace(version, reinterpret_cast<std::uintptr_t>(name), is_it);
  // As long as the dict's version is the same, it holds the holder.
  if (is_it(known) && version != 0 && known.type_version == type_version && type_version != 0 &&
      known.holder_version != 0 && known.holder_version == version_of(known.holder))
    return known.value;
  if (_PyType_Lookup(Py_TYPE(self), name)) return nullptr;
  PyObject *holder = dict, *value = item(dict, name);
  for (std::size_t i = 0; !value && i < std::size(names().registries); ++i) {
    holder = item(dict, names().registries[i]);
    value = holder && PyDict_Check(holder) ? item(holder, name) : nullptr;
  }
  if (value && PyUnicode_CHECK_INTERNED(name)) {
    Object old(known.name);
    known = {version, version_of(holder), type_version_of(Py_TYPE(self)), Object::borrowed(name).release(), holder,
             value};
  }
  return value;
}

// What object.__getattribute__ and then ModuleTree.__getattr__ find, without calling the latter where it would succeed.
PyObject* get_attribute(PyObject* self, PyObject* name) {
  return guarded([&]() -> PyObject* {
    if (PyObject* dict = dict_of(self); dict && PyUnicode_Check(name))
      if (PyObject* member = find_member(self, dict, name)) return Object::borrowed(member).release();
    PyObject* found = _PyObject_GenericGetAttrWithDict(self, name, nullptr, 1);
    if (found) return found;
    if (PyErr_Occurred()) throw PythonError{};
    Object fallback(checked(PyObject_GetAttr(reinterpret_cast<PyObject*>(Py_TYPE(self)), names().getattr)));
    return PyObject_CallFunctionObjArgs(fallback.get(), self, name, nullptr);
  });
}

// Assigning what these slots stand for to the class, or to one above it, makes Python undo this.
PyObject* use_fast_slots(PyObject*, PyObject* args) {
  PyTypeObject* type;
  int attributes;
  if (!PyArg_ParseTuple(args, "O!p", &PyType_Type, &type, &attributes)) return nullptr;
  if (attributes) type->tp_getattro = get_attribute;
  if (g_call && _PyType_Lookup(type, names().call) == g_call) type->tp_call = call_module;
  PyType_Modified(type);
  Py_RETURN_NONE;
}

// Sequential.forward: the modules of a dict in a row, each one's output the next one's input.
PyObject* call_in_row(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (count != 2 || !PyDict_Check(args[1])) return PyErr_Format(PyExc_TypeError, "expected an input and a dict");
  return guarded([&] {
    std::vector<Object> modules;  // a module may change the dict
    modules.reserve(static_cast<std::size_t>(PyDict_GET_SIZE(args[1])));
    PyObject *key, *module;
    for (Py_ssize_t at = 0; PyDict_Next(args[1], &at, &key, &module);) modules.push_back(Object::borrowed(module));
    Object value = Object::borrowed(args[0]);
    for (const Object& each : modules) {
      PyObject* input = value.get();
      bool usual = Py_TYPE(each.get())->tp_call == call_module;
      value = Object(checked(usual ? run(each.get(), &input, 1, nullptr) : PyObject_CallOneArg(each.get(), input)));
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
    {"use_fast_slots", use_fast_slots, METH_VARARGS, nullptr},
    {}};

}  // namespace

void bind_module_type(PyObject* module) { checked(PyModule_AddFunctions(module, g_functions)); }

}  // namespace lamina::bindings

// Functions whose arguments autocast converts: rows of the registry, and functions of Python that are wrapped for it.
// Tests: tests/python/test_autocast.py.
#include "bindings/autocast.h"

#include <structmember.h>

#include <cstddef>
#include <cstring>
#include <iterator>

#include "bindings/registry.h"
#include "bindings/scalars.h"
#include "bindings/tensor_object.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

using functions::Precision;

std::optional<Precision> precision_of_row(const char* name) {
  static constexpr struct {
    const char* name;
    Precision precision;
  } kRows[] = {{"matmul", Precision::kLow}, {"mm", Precision::kLow},
               {"bmm", Precision::kLow},    {"addmm", Precision::kLow},
               {"linear", Precision::kLow}, {"prod", Precision::kFull},
               {"polar", Precision::kFull}, {"view_as_complex", Precision::kFull}};
  for (const auto& row : kRows)
    if (std::strcmp(row.name, name) == 0) return row.precision;
  return std::nullopt;
}

namespace {

// The tensor's value, if it is one that has numbers.
ValuePtr tensor_in(PyObject* object) {
  if (!object || !is_tensor(object)) return nullptr;
  if (g_uninitialized_type && PyType_IsSubtype(Py_TYPE(object), g_uninitialized_type)) return nullptr;
  return value_of(object);
}

}  // namespace

CastArguments::CastArguments(Precision precision, PyObject* const* arguments, std::size_t count)
    : arguments_(arguments, arguments + count) {
  if (precision != Precision::kOwn) {
    std::vector<ValuePtr> tensors;
    for (PyObject* argument : arguments_) tensors.push_back(tensor_in(argument));
    DType dtype = functions::type_under_autocast(precision, tensors);
    for (std::size_t i = 0; i < count; ++i) {
      if (!tensors[i] || !functions::is_cast(*tensors[i]) || tensors[i]->dtype == dtype) continue;
      kept_.emplace_back(wrap_quietly(engine::Variable(build::cast(tensors[i], dtype))));
      arguments_[i] = kept_.back().get();
    }
  }
  off_.emplace();
}

namespace {

// A function of Python, and what it asks for. With autocast off a call of it is the function's, but for one test.
struct CastingFunction {
  PyObject_HEAD vectorcallfunc call;
  PyObject *function, *dict, *weak_references;
  Precision precision;
};
CastingFunction* of(PyObject* self) { return reinterpret_cast<CastingFunction*>(self); }

bool has_out(PyObject* const* values, PyObject* names) {
  for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); ++i)
    if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), "out") == 0) return values[i] != Py_None;
  return false;
}

PyObject* call_casting(PyObject* self, PyObject* const* arguments, std::size_t flags, PyObject* names) {
  PyObject* function = of(self)->function;
  std::size_t count = static_cast<std::size_t>(PyVectorcall_NARGS(flags));
  if (!functions::autocasts() || has_out(arguments + count, names))
    return PyObject_Vectorcall(function, arguments, flags, names);
  return guarded([&] {
    std::size_t all = count + (names ? static_cast<std::size_t>(PyTuple_GET_SIZE(names)) : 0);
    CastArguments converted(of(self)->precision, arguments, all);
    return PyObject_Vectorcall(function, converted.data(), count, names);
  });
}

PyObject* bind_to(PyObject* self, PyObject* object, PyObject*) {
  return object ? PyMethod_New(self, object) : Py_NewRef(self);
}

PyObject* represent(PyObject* self) { return PyObject_Repr(of(self)->function); }

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(of(self)->function);
  Py_VISIT(of(self)->dict);
  Py_VISIT(Py_TYPE(self));
  return 0;
}

int clear(PyObject* self) {
  Py_CLEAR(of(self)->function);
  Py_CLEAR(of(self)->dict);
  return 0;
}

void deallocate(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  PyObject_ClearWeakRefs(self);
  clear(self);
  type->tp_free(self);
  Py_DECREF(type);
}

// Like a function, by its name: a copy of it is itself.
PyObject* reduce(PyObject* self, PyObject*) { return PyObject_GetAttrString(of(self)->function, "__qualname__"); }

PyMethodDef g_methods[] = {{"__reduce__", reduce, METH_NOARGS, nullptr}, {}};

PyMemberDef g_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(CastingFunction, call), READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(CastingFunction, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CastingFunction, weak_references), READONLY, nullptr},
    {}};

PyGetSetDef g_properties[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr}, {}};

PyTypeObject* g_type;

}  // namespace

LAMINA_FUNCTION(kModule, _casting, "function, precision") {
  static constexpr const char* kNames[] = {"low", "full", "widest", "own"};
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (std::strcmp(a.text(1), kNames[i]) != 0) continue;
    Object self(checked(g_type->tp_alloc(g_type, 0)));
    CastingFunction* made = of(self.get());
    made->call = call_casting;
    made->function = Object::borrowed(a.object(0)).release();
    made->precision = static_cast<Precision>(i);
    return self.release();
  }
  fail(ErrorKind::kValue, "_casting: no precision is called ", a.text(1));
}

// This thread's type; None while it is off.
LAMINA_FUNCTION(kModule, _autocast_dtype, "") {
  auto dtype = functions::autocast_dtype();
  return Object::borrowed(dtype ? dtype_object(*dtype) : Py_None).release();
}
// From now on in this thread; None: off.
LAMINA_FUNCTION(kModule, _set_autocast_dtype, "dtype") {
  functions::set_autocast_dtype(a.dtype(0));
  Py_RETURN_NONE;
}

void bind_autocast() {
  static PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                                {Py_tp_descr_get, reinterpret_cast<void*>(bind_to)},
                                {Py_tp_repr, reinterpret_cast<void*>(represent)},
                                {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
                                {Py_tp_clear, reinterpret_cast<void*>(clear)},
                                {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
                                {Py_tp_methods, g_methods},
                                {Py_tp_members, g_members},
                                {Py_tp_getset, g_properties},
                                {0, nullptr}};
  static PyType_Spec spec{"lamina._core.casting_function", sizeof(CastingFunction), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                              Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                          slots};
  g_type = make_type(spec);
}

}  // namespace lamina::bindings

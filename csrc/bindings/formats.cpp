// torch.layout and torch.memory_format: constants that say how elements lie.
#include <algorithm>
#include <iterator>

#include "bindings/scalars.h"

namespace lamina::bindings {

namespace {

struct ConstantObject {
  PyObject_HEAD const char* name;
};

PyTypeObject *g_layout_type = nullptr, *g_memory_format_type = nullptr;
PyObject *g_strided = nullptr, *g_formats[4] = {};  // by MemoryFormat
constexpr const char* kFormatNames[4] = {"contiguous_format", "preserve_format", "channels_last", "channels_last_3d"};

const char* name_of_constant(PyObject* self) { return reinterpret_cast<ConstantObject*>(self)->name; }
PyObject* represent(PyObject* self) { return PyUnicode_FromFormat("%s.%s", kPrintedPackage, name_of_constant(self)); }
PyObject* reduce(PyObject* self, PyObject*) { return PyUnicode_FromString(name_of_constant(self)); }

PyMethodDef g_methods[] = {{"__reduce__", reduce, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};

PyTypeObject* constant_type(PyObject* module, const char* name) {
  PyType_Slot slots[] = {{Py_tp_repr, reinterpret_cast<void*>(represent)}, {Py_tp_methods, g_methods}, {0, nullptr}};
  PyType_Spec spec{name, sizeof(ConstantObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  PyTypeObject* type = make_type(spec);
  checked(PyModule_AddType(module, type));
  return type;
}

PyObject* constant(PyObject* module, PyTypeObject* type, const char* name) {
  auto* object = reinterpret_cast<ConstantObject*>(checked(type->tp_alloc(type, 0)));
  object->name = name;
  checked(PyModule_AddObjectRef(module, name, reinterpret_cast<PyObject*>(object)));
  return reinterpret_cast<PyObject*>(object);
}

}  // namespace

void bind_formats(PyObject* module) {
  g_layout_type = constant_type(module, "lamina.layout");
  g_memory_format_type = constant_type(module, "lamina.memory_format");
  g_strided = constant(module, g_layout_type, "strided");
  for (std::size_t i = 0; i < std::size(kFormatNames); ++i)
    g_formats[i] = constant(module, g_memory_format_type, kFormatNames[i]);
}

bool is_layout(PyObject* object) { return Py_TYPE(object) == g_layout_type; }
bool is_memory_format(PyObject* object) { return Py_TYPE(object) == g_memory_format_type; }
PyObject* strided_layout() { return g_strided; }
MemoryFormat memory_format_from(PyObject* object) {
  return static_cast<MemoryFormat>(std::find(std::begin(g_formats), std::end(g_formats), object) - g_formats);
}

}  // namespace lamina::bindings

// Arrays made by NumPy's C functions: through memoryview and asarray they would take as long as a small program.
// Tests: tests/python/test_numpy_exchange.py.
#include "bindings/numpy_array.h"

#include <cstddef>

#include "bindings/exchange.h"
#include "engine/flush.h"
#include "ops/view_layout.h"

namespace lamina::bindings {

namespace {

// The functions' places in the table that NumPy publishes; they are part of its binary interface, so that its headers
// are not needed. Source: NumPy's documentation, "Array API", and numpy/_core/code_generators/numpy_api.py.
struct NumPy {
  PyTypeObject* array_type;
  PyObject* (*type_of)(int number);
  PyObject* (*new_array)(PyTypeObject*, PyObject* type, int rank, const Py_ssize_t* dims, const Py_ssize_t* strides,
                         void* data, int flags, PyObject*);
  int (*set_base)(PyObject* array, PyObject* base);

  explicit NumPy(void** table)
      : array_type(static_cast<PyTypeObject*>(table[2])),
        type_of(reinterpret_cast<decltype(type_of)>(table[45])),
        new_array(reinterpret_cast<decltype(new_array)>(table[94])),
        set_base(reinterpret_cast<decltype(set_base)>(table[282])) {}
};

void** published_table() {
  for (const char* name : {"numpy._core.multiarray", "numpy.core.multiarray"}) {  // from 2.0 on, and before
    Object module(PyImport_ImportModule(name));
    Object capsule(module ? PyObject_GetAttrString(module.get(), "_ARRAY_API") : nullptr);
    if (capsule) return static_cast<void**>(PyCapsule_GetPointer(capsule.get(), nullptr));
    PyErr_Clear();
  }
  PyErr_SetString(PyExc_ImportError, "numpy has no _ARRAY_API");
  throw PythonError{};
}

constexpr int kWriteable = 0x0400;
constexpr int kTypes[kDTypeCount] = {0, 2, 1, 3, 5, sizeof(long) == 8 ? 7 : 9, 23, -1, 11, 12, -1, 14, 15};  // by DType

void release_memory(PyObject* capsule) {
  auto* storage = static_cast<Storage*>(PyCapsule_GetPointer(capsule, nullptr));
  --storage->external_holders;
  release(storage);
}

}  // namespace

PyObject* array_over(engine::Variable& variable) {
  static const NumPy& numpy = *new NumPy(published_table());
  prepare_export(variable);
  const ValuePtr& value = variable.value;
  Storage* storage = value->storage;
  DimVector strides = strides_of(value->shape, value->layout);
  for (std::int64_t& stride : strides) stride *= static_cast<std::int64_t>(size_of(value->dtype));
  static_assert(sizeof(std::int64_t) == sizeof(Py_ssize_t));
  Object array(
      checked(numpy.new_array(numpy.array_type, checked(numpy.type_of(kTypes[index_of(value->dtype)])),
                              value->shape->rank(), reinterpret_cast<const Py_ssize_t*>(value->shape->dims().data()),
                              reinterpret_cast<const Py_ssize_t*>(strides.data()), engine::data_of(value.get()),
                              storage->read_only ? 0 : kWriteable, nullptr)));
  PyObject* base = checked(PyCapsule_New(storage, nullptr, release_memory));
  retain(storage);
  expose(storage);
  checked(numpy.set_base(array.get(), base));
  return array.release();
}

}  // namespace lamina::bindings

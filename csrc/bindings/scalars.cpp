// Python's small values: dtypes, sizes, numbers.
#include "bindings/scalars.h"

#include <cstring>
#include <type_traits>

#include "bindings/tensor_object.h"
#include "engine/flush.h"
#include "support/check.h"
#include "support/half.h"

namespace lamina::bindings {

namespace {

// What a type's object says of it.
struct DTypeFacts {
  const char* name;
  std::size_t itemsize;
  bool is_floating, is_signed;
};
// PyTorch's types that no tensor of lamina has: they can be named, as in a program's table of types.
constexpr DTypeFacts kElsewhere[] = {
    {"uint16", 2, false, false},        {"uint32", 4, false, false},        {"uint64", 8, false, false},
    {"float8_e4m3fn", 1, true, true},   {"float8_e4m3fnuz", 1, true, true}, {"float8_e5m2", 1, true, true},
    {"float8_e5m2fnuz", 1, true, true}, {"float8_e8m0fnu", 1, true, false}, {"float4_e2m1fn_x2", 1, true, true}};

struct DTypeObject {
  PyObject_HEAD DType dtype;
  const DTypeFacts* elsewhere;  // null for lamina's own
};

PyTypeObject* g_dtype_type = nullptr;
PyTypeObject* g_size_type = nullptr;
PyObject* g_dtypes[kDTypeCount];

DType dtype_of(PyObject* self) {
  const auto* object = reinterpret_cast<DTypeObject*>(self);
  if (object->elsewhere != nullptr)
    fail(ErrorKind::kNotImplemented, "no tensor has the type ", kPrintedPackage, ".", object->elsewhere->name,
         ", which can only be named; convert to one of float64, float32, float16, bfloat16, complex128, complex64, "
         "int64, int32, int16, int8, uint8, and bool");
  return object->dtype;
}
DTypeFacts facts_of(PyObject* self) {
  const auto* object = reinterpret_cast<DTypeObject*>(self);
  if (object->elsewhere != nullptr) return *object->elsewhere;
  const DType dtype = object->dtype;
  return {name_of(dtype), size_of(dtype), is_floating(dtype), dtype > DType::kUInt8};
}

PyObject* dtype_repr(PyObject* self) { return PyUnicode_FromFormat("%s.%s", kPrintedPackage, facts_of(self).name); }
PyObject* dtype_reduce(PyObject* self, PyObject*) { return PyUnicode_FromString(facts_of(self).name); }
PyObject* dtype_is_floating(PyObject* self, void*) { return PyBool_FromLong(facts_of(self).is_floating); }
PyObject* dtype_is_complex(PyObject* self, void*) {
  const auto* object = reinterpret_cast<DTypeObject*>(self);
  return PyBool_FromLong(object->elsewhere == nullptr && is_complex(object->dtype));
}
PyObject* dtype_is_signed(PyObject* self, void*) { return PyBool_FromLong(facts_of(self).is_signed); }
PyObject* dtype_itemsize(PyObject* self, void*) { return PyLong_FromSize_t(facts_of(self).itemsize); }

PyObject* dtype_to_real(PyObject* self, PyObject*) {
  return guarded([&] { return Object::borrowed(dtype_object(part_type(dtype_of(self)))).release(); });
}
PyObject* dtype_to_complex(PyObject* self, PyObject*) {
  return guarded([&] {
    const DType dtype = dtype_of(self);
    check(is_differentiable(dtype), "to_complex(): no complex type has parts of the type ", name_of(dtype));
    return Object::borrowed(dtype_object(complex_type(dtype))).release();
  });
}

// Adds a type's object to the module under its name; borrowed.
PyObject* add_dtype(PyObject* module, DType dtype, const DTypeFacts* elsewhere) {
  auto* object = reinterpret_cast<DTypeObject*>(checked(g_dtype_type->tp_alloc(g_dtype_type, 0)));
  object->dtype = dtype;
  object->elsewhere = elsewhere;
  auto* added = reinterpret_cast<PyObject*>(object);
  checked(PyModule_AddObjectRef(module, facts_of(added).name, added));
  return added;
}

PyMethodDef g_dtype_methods[] = {
    {"__reduce__", dtype_reduce, METH_NOARGS, nullptr},
    {"to_real", dtype_to_real, METH_NOARGS, "The type of a complex type's parts; of others the type itself."},
    {"to_complex", dtype_to_complex, METH_NOARGS, "The complex type with parts of this type, of bfloat16 complex64."},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef g_dtype_properties[] = {{"is_floating_point", dtype_is_floating, nullptr, nullptr, nullptr},
                                    {"is_complex", dtype_is_complex, nullptr, nullptr, nullptr},
                                    {"is_signed", dtype_is_signed, nullptr, nullptr, nullptr},
                                    {"itemsize", dtype_itemsize, nullptr, "Bytes an element.", nullptr},
                                    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyObject* size_repr(PyObject* self) {
  Object list(PySequence_List(self));
  return list ? PyUnicode_FromFormat("%s.Size(%R)", kPrintedPackage, list.get()) : nullptr;
}
PyObject* size_numel(PyObject* self, PyObject*) {
  return guarded([&] { return PyLong_FromLongLong(Shape::of(*dims_from(self))->numel()); });
}
PyObject* size_subscript(PyObject* self, PyObject* key) {
  Object item(PyTuple_Type.tp_as_mapping->mp_subscript(self, key));
  if (!item || !PySlice_Check(key)) return item.release();
  return guarded([&] { return size_object(*dims_from(item.get())); });
}
// A tuple, whose elements are integers or have an __index__, as a Size.
PyObject* size_from_tuple(PyObject* tuple) {
  Object size(checked(g_size_type->tp_alloc(g_size_type, PyTuple_GET_SIZE(tuple))));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i) {
    Object number(PyNumber_Index(PyTuple_GET_ITEM(tuple, i)));
    if (!number)
      fail(ErrorKind::kType, kPrintedPackage, ".Size() takes an iterable of 'int' (item ", i, " is '",
           Py_TYPE(PyTuple_GET_ITEM(tuple, i))->tp_name, "')");
    PyTuple_SET_ITEM(size.get(), i, checked(PyNumber_Long(number.get())));  // True counts as 1
  }
  return size.release();
}
PyObject* size_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  Object tuple(PyTuple_Type.tp_new(&PyTuple_Type, args, kwargs));
  if (!tuple) return nullptr;
  return guarded([&] {
    Object size(size_from_tuple(tuple.get()));
    if (type == g_size_type) return size.release();
    Object arguments(checked(PyTuple_Pack(1, size.get())));
    return checked(PyTuple_Type.tp_new(type, arguments.get(), nullptr));
  });
}
// Sums with tuples on either side and repetitions are Sizes, too.
PyObject* size_add(PyObject* left, PyObject* right) {
  if (!PyTuple_Check(left) || !PyTuple_Check(right)) Py_RETURN_NOTIMPLEMENTED;
  Object tuple(PyTuple_Type.tp_as_sequence->sq_concat(left, right));
  return guarded([&] { return size_from_tuple(checked(tuple.get())); });
}
PyObject* size_repeat(PyObject* self, Py_ssize_t count) {
  Object tuple(PyTuple_Type.tp_as_sequence->sq_repeat(self, count));
  return guarded([&] { return size_from_tuple(checked(tuple.get())); });
}
PyObject* size_reduce(PyObject* self, PyObject*) {
  return Py_BuildValue("O(N)", Py_TYPE(self), PyTuple_Type.tp_as_sequence->sq_repeat(self, 1));
}
PyMethodDef g_size_methods[] = {{"numel", size_numel, METH_NOARGS, "The number of elements: the product of the sizes."},
                                {"__reduce__", size_reduce, METH_NOARGS, nullptr},
                                {nullptr, nullptr, 0, nullptr}};

}  // namespace

void bind_scalars(PyObject* module) {
  static PyType_Slot dtype_slots[] = {{Py_tp_repr, reinterpret_cast<void*>(dtype_repr)},
                                      {Py_tp_methods, g_dtype_methods},
                                      {Py_tp_getset, g_dtype_properties},
                                      {0, nullptr}};
  static PyType_Spec dtype_spec{"lamina.dtype", sizeof(DTypeObject), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, dtype_slots};
  g_dtype_type = make_type(dtype_spec);
  checked(PyModule_AddObjectRef(module, "dtype", reinterpret_cast<PyObject*>(g_dtype_type)));
  for (std::size_t i = 0; i < kDTypeCount; ++i) g_dtypes[i] = add_dtype(module, static_cast<DType>(i), nullptr);
  for (const DTypeFacts& elsewhere : kElsewhere) add_dtype(module, DType::kBool, &elsewhere);
  static PyType_Slot size_slots[] = {{Py_tp_repr, reinterpret_cast<void*>(size_repr)},
                                     {Py_tp_methods, g_size_methods},
                                     {Py_mp_subscript, reinterpret_cast<void*>(size_subscript)},
                                     {Py_tp_new, reinterpret_cast<void*>(size_new)},
                                     {Py_nb_add, reinterpret_cast<void*>(size_add)},
                                     {Py_sq_repeat, reinterpret_cast<void*>(size_repeat)},
                                     {0, nullptr}};
  static PyType_Spec size_spec{"lamina.Size", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, size_slots};
  g_size_type = make_type(size_spec, &PyTuple_Type);
  checked(PyModule_AddObjectRef(module, "Size", reinterpret_cast<PyObject*>(g_size_type)));
}

PyObject* dtype_object(DType dtype) { return g_dtypes[index_of(dtype)]; }

std::optional<DType> dtype_from(PyObject* object) {
  if (Py_TYPE(object) == g_dtype_type) return dtype_of(object);
  if (object == reinterpret_cast<PyObject*>(&PyFloat_Type)) return DType::kFloat64;
  if (object == reinterpret_cast<PyObject*>(&PyComplex_Type)) return DType::kComplex128;
  if (object == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::kBool;
  if (object == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::kInt64;
  return std::nullopt;
}

PyObject* size_object(Dims dims) {
  Object tuple(checked(g_size_type->tp_alloc(g_size_type, static_cast<Py_ssize_t>(dims.size()))));
  for (std::size_t i = 0; i < dims.size(); ++i)
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), checked(PyLong_FromLongLong(dims[i])));
  return tuple.release();
}

std::string size_text(Dims dims) { return std::string(kPrintedPackage) + ".Size(" + to_string(dims, '[', ']') + ")"; }

std::optional<functions::Operand> number_from(PyObject* object) {
  using functions::Operand;
  if (PyBool_Check(object)) return Operand::of(object == Py_True);
  if (PyFloat_Check(object)) return Operand::of(PyFloat_AS_DOUBLE(object));
  if (PyLong_Check(object)) {
    int overflow = 0;
    long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow) {
      PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to int64");
      throw PythonError{};
    }
    return Operand::of(static_cast<std::int64_t>(number));
  }
  if (PyComplex_Check(object)) {  // NumPy's complex128 is one, too
    Py_complex number = PyComplex_AsCComplex(object);
    return Operand::of(number.real, number.imag);
  }
  // NumPy's numbers: whole ones have __index__, the others only __float__.
  if (is_tensor(object) || PyUnicode_Check(object) || PySequence_Check(object)) return std::nullopt;
  if (PyObject_CheckBuffer(object) && std::strcmp(Py_TYPE(object)->tp_name, "numpy.ndarray") == 0) return std::nullopt;
  const char* type = Py_TYPE(object)->tp_name;
  if (std::strcmp(type, "numpy.bool_") == 0 || std::strcmp(type, "numpy.bool") == 0)
    return Operand::of(PyObject_IsTrue(object) == 1);
  if (PyIndex_Check(object)) {
    Object whole(checked(PyNumber_Index(object)));
    return number_from(whole.get());
  }
  PyNumberMethods* methods = Py_TYPE(object)->tp_as_number;
  if (std::strcmp(type, "numpy.complex64") == 0) {
    Py_complex number = PyComplex_AsCComplex(object);
    return Operand::of(number.real, number.imag);
  }
  if (!methods || !methods->nb_float) return std::nullopt;
  double number = PyFloat_AsDouble(object);
  if (number == -1.0 && PyErr_Occurred()) throw PythonError{};
  return Operand::of(number);
}

std::optional<std::int64_t> integer_from(PyObject* object) {
  if (!PyLong_Check(object) && !PyIndex_Check(object)) return std::nullopt;
  if (is_tensor(object) && (value_of(object)->shape->numel() != 1 || is_differentiable(value_of(object)->dtype)))
    return std::nullopt;
  Py_ssize_t number = PyNumber_AsSsize_t(object, PyExc_OverflowError);
  if (number == -1 && PyErr_Occurred()) throw PythonError{};
  return number;
}

std::optional<DimVector> dims_from(PyObject* object) {
  if (!PyTuple_Check(object) && !PyList_Check(object)) {
    if (!PySequence_Check(object) || PyUnicode_Check(object) || PyBytes_Check(object)) return std::nullopt;
    if (is_tensor(object) && value_of(object)->shape->rank() != 1) return std::nullopt;
  }
  Object fast(PySequence_Fast(object, "expected a sequence of integers"));
  checked(fast.get());
  DimVector dims;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i) {
    auto number = integer_from(PySequence_Fast_GET_ITEM(fast.get(), i));
    if (!number) return std::nullopt;
    dims.push_back(*number);
  }
  return dims;
}

namespace {

// Number `i` at a place in memory, which need not be aligned.
template <typename T>
T number_at(const void* place, std::size_t i = 0) {
  T number;
  std::memcpy(&number, static_cast<const std::byte*>(place) + i * sizeof number, sizeof number);
  return number;
}

template <typename T>
double real_at(const void* place, std::size_t i = 0) {
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<double>(number_at<T>(place, i));
  else
    return static_cast<double>(to_float(number_at<T>(place, i)));
}

template <typename T>
PyObject* integer_at(const void* place) {
  return PyLong_FromLongLong(number_at<T>(place));
}
template <typename T>
PyObject* float_at(const void* place) {
  return PyFloat_FromDouble(real_at<T>(place));
}
template <typename T>
PyObject* complex_at(const void* place) {
  return PyComplex_FromDoubles(real_at<T>(place), real_at<T>(place, 1));
}

}  // namespace

PyObject* element_object(DType dtype, const void* element) {
  switch (dtype) {
    case DType::kBool:
      return PyBool_FromLong(number_at<std::uint8_t>(element));
    case DType::kUInt8:
      return integer_at<std::uint8_t>(element);
    case DType::kInt8:
      return integer_at<std::int8_t>(element);
    case DType::kInt16:
      return integer_at<std::int16_t>(element);
    case DType::kInt32:
      return integer_at<std::int32_t>(element);
    case DType::kInt64:
      return integer_at<std::int64_t>(element);
    case DType::kFloat16:
      return float_at<Half>(element);
    case DType::kBFloat16:
      return float_at<BFloat16>(element);
    case DType::kFloat32:
      return float_at<float>(element);
    case DType::kFloat64:
      return float_at<double>(element);
    case DType::kComplex32:
      return complex_at<Half>(element);
    case DType::kComplex64:
      return complex_at<float>(element);
    case DType::kComplex128:
      return complex_at<double>(element);
  }
  Py_RETURN_NONE;
}

}  // namespace lamina::bindings

// Tensors from nested sequences of numbers.
#include <algorithm>
#include <cstring>

#include "bindings/exchange.h"
#include "bindings/scalars.h"
#include "bindings/tensor_object.h"
#include "engine/flush.h"
#include "functions/operand.h"
#include "kernels/table.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// What no number can be made of, as PyTorch says it: strings by their type, others by what was wanted of them.
[[noreturn]] void fail_for(PyObject* data, std::optional<DType> wanted) {
  if (PyUnicode_Check(data) || PyBytes_Check(data))
    fail(ErrorKind::kType, "new(): invalid data type '", printed_type(data),
         "': expected numbers, sequences of numbers, tensors or arrays");
  if (wanted) fail(ErrorKind::kType, "must be real number, not ", printed_type(data));
  fail(ErrorKind::kRuntime, "Could not infer dtype of ", printed_type(data));
}

// Nested sequences: the shape from the first of each level, then every leaf checked against it.
class NestedData {
 public:
  NestedData(PyObject* data, std::optional<DType> wanted) : wanted_(wanted) {
    measure(data);
    // What is beside an empty first item is not looked at.
    if (std::find(dims_.begin(), dims_.end(), 0) == dims_.end()) collect(data, 0);
  }

  ValuePtr value() const {
    const DType dtype = wanted_ ? *wanted_ : own_type_.value_or(functions::default_float());
    ValuePtr value = fresh_value(Shape::of(dims_), dtype);
    std::byte* out = engine::data_of(value.get());
    for (const functions::Operand& number : numbers_) {
      store(out, number, dtype);
      out += size_of(dtype);
    }
    return value;
  }

 private:
  // A list or a tuple, or a copy of another sequence as a list; null for what is no sequence.
  static Object items_of(PyObject* object) {
    if (PyList_Check(object) || PyTuple_Check(object)) return Object::borrowed(object);
    if (is_tensor(object) || is_array(object) || PyUnicode_Check(object) || PyBytes_Check(object) ||
        !PySequence_Check(object))
      return Object();
    Object list(PySequence_List(object));
    if (!list) {
      PyErr_Clear();
      fail(ErrorKind::kValue, "could not determine the shape of object type '", printed_type(object), "'");
    }
    return list;
  }
  // Held: numbers are made by code of their own, which may take them out of their list.
  static Object item_of(const Object& items, Py_ssize_t i) {
    return Object::borrowed(PySequence_Fast_GET_ITEM(items.get(), i));
  }
  static bool is_array(PyObject* object) {
    return !is_tensor(object) && PyObject_CheckBuffer(object) && !PyBytes_Check(object);
  }
  // Tensors, arrays and NumPy's numbers count with their own type, Python's numbers with the default of their kind.
  void note_type(DType dtype) { own_type_ = own_type_ ? functions::promote(*own_type_, dtype) : dtype; }

  void measure(PyObject* data) {
    Object items = items_of(data);
    if (!items) {
      if (!is_array(data)) return;
      Dims inner = copy_of_buffer(data)->shape->dims();
      dims_.insert(dims_.end(), inner.begin(), inner.end());
      return;
    }
    Py_ssize_t size = PySequence_Fast_GET_SIZE(items.get());
    dims_.push_back(size);
    if (dims_.size() > 128) fail(ErrorKind::kValue, "too many dimensions '", printed_type(data), "'");
    if (size) measure(item_of(items, 0).get());
  }

  void collect(PyObject* data, std::size_t level) {
    if (Object items = items_of(data)) {
      Py_ssize_t size = PySequence_Fast_GET_SIZE(items.get());
      for (Py_ssize_t i = 0; i < size; ++i)
        if (PySequence_Fast_GET_ITEM(items.get(), i) == data)
          fail(ErrorKind::kType, "new(): self-referential lists are incompatible");
      if (level >= dims_.size() || size != dims_[level])
        fail(ErrorKind::kValue, "expected sequence of length ", level < dims_.size() ? dims_[level] : 0, " at dim ",
             level, " (got ", size, ")");
      for (Py_ssize_t i = 0; i < size; ++i) {
        if (PySequence_Fast_GET_SIZE(items.get()) != size)
          fail(ErrorKind::kRuntime, "new(): a sequence changed its length while it was read");
        collect(item_of(items, i).get(), level + 1);
      }
      return;
    }
    if (is_tensor(data) || is_array(data)) {
      ValuePtr value = is_tensor(data) ? build::detach(value_of(data)) : copy_of_buffer(data);
      if (is_tensor(data)) {  // stands for a number
        check_single(value);
        value = build::reshape(value, Shape::of({}));
      }
      if (value->shape->dims().size() + level != dims_.size())
        fail(ErrorKind::kValue, "expected sequences of equal depth, got ", is_tensor(data) ? "a tensor" : "an array",
             " of shape ", to_string(value->shape->dims()), " at dim ", level);
      for (std::size_t axis = 0; axis < value->shape->dims().size(); ++axis)
        if (value->shape->dims()[axis] != dims_[level + axis])
          fail(ErrorKind::kValue, "expected sequence of length ", dims_[level + axis], " at dim ", level + axis,
               " (got ", value->shape->dims()[axis], ")");
      note_type(value->dtype);
      if (value->layout.strides || !value->storage) value = build::clone(value);
      engine::realize(value.get());
      const std::byte* element = engine::data_of(value.get());
      for (std::int64_t i = 0; i < value->shape->numel(); ++i, element += size_of(value->dtype)) {
        Object number(element_object(value->dtype, element));
        numbers_.push_back(*number_from(number.get()));
      }
      return;
    }
    auto number = number_or_large(data);
    if (!number) fail_for(data, wanted_);
    if (level != dims_.size()) fail(ErrorKind::kType, "not a sequence: expected one at dim ", level, ", got a number");
    note_type(functions::default_dtype_of(number->kind));
    numbers_.push_back(std::move(*number));
  }

  static void check_single(const ValuePtr& value) {
    if (value->shape->numel() == 1) return;
    if (is_differentiable(value->dtype))
      fail(ErrorKind::kValue, "only one element tensors can be converted to Python scalars");
    fail(ErrorKind::kType, "only integer tensors of a single element can be converted to an index");
  }

  // Integers beyond int64 are what a float, or a bool, makes of them.
  std::optional<functions::Operand> number_or_large(PyObject* data) const {
    if (!PyLong_Check(data) || PyBool_Check(data)) return number_from(data);
    int overflow = 0;
    long long whole = PyLong_AsLongLongAndOverflow(data, &overflow);
    if (!overflow) return functions::Operand::of(static_cast<std::int64_t>(whole));
    if (!wanted_ || (!is_differentiable(*wanted_) && *wanted_ != DType::kBool))
      fail(ErrorKind::kValue, "Overflow when unpacking long long");
    double real = PyLong_AsDouble(data);
    if (real == -1.0 && PyErr_Occurred()) throw PythonError{};
    return functions::Operand::of(real);
  }

  static void store(std::byte* out, const functions::Operand& number, DType dtype) {
    if (is_complex(dtype)) {
      const double parts[] = {number.as_double(), number.imaginary};
      kernels::table().cast[index_of(DType::kFloat64)][index_of(part_type(dtype))](out, parts, 2);
      return;
    }
    check(number.kind != functions::Operand::Kind::kComplex || number.imaginary == 0 || dtype == DType::kBool,
          "value cannot be converted to type ", name_of(dtype), " without overflow");
    if (is_floating(dtype)) {
      double real = number.as_double();
      kernels::table().cast[index_of(DType::kFloat64)][index_of(dtype)](out, &real, 1);
      return;
    }
    std::int64_t whole = number.integer;
    if (number.kind >= functions::Operand::Kind::kFloat) {
      if (dtype == DType::kBool) {
        whole = number.real != 0 || number.imaginary != 0;
      } else {
        check(number.real == number.real && std::abs(number.real) < 9.3e18, "cannot convert float ", number.real,
              " to ", name_of(dtype));
        whole = static_cast<std::int64_t>(number.real);
      }
    }
    if (dtype == DType::kBool) whole = whole != 0;
    functions::check_fits(number, dtype);
    std::memcpy(out, &whole, size_of(dtype));  // little-endian
  }

  std::optional<DType> wanted_, own_type_;
  DimVector dims_;
  std::vector<functions::Operand> numbers_;
};

}  // namespace

ValuePtr value_from_data(PyObject* data, std::optional<DType> dtype) {
  ValuePtr value;
  if (is_tensor(data)) {
    value = build::clone(build::detach(value_of(data)));
  } else if (PyObject_CheckBuffer(data) && !PyBytes_Check(data)) {
    value = copy_of_buffer(data);
  } else if (!PyUnicode_Check(data) && !PyBytes_Check(data) && (PySequence_Check(data) || PyNumber_Check(data))) {
    // NumPy's scalars keep their type.
    if (!dtype && std::strncmp(Py_TYPE(data)->tp_name, "numpy.float64", 13) == 0) dtype = DType::kFloat64;
    return NestedData(data, dtype).value();
  } else {
    fail_for(data, dtype);
  }
  return dtype ? build::cast(value, *dtype) : value;
}

}  // namespace lamina::bindings

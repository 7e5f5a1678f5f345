// Tensor's Python operators.
#include <cstring>

#include "bindings/autocast.h"
#include "bindings/exchange.h"
#include "bindings/in_place.h"
#include "bindings/scalars.h"
#include "bindings/tensor_object.h"
#include "bindings/warning.h"
#include "engine/flush.h"
#include "functions/linear.h"
#include "functions/pointwise.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

using functions::Operand;

// Both operands, or nothing if one is neither a tensor nor a number.
bool operands_from(PyObject* a, PyObject* b, Operand& x, Operand& y) {
  auto convert = [](PyObject* object, Operand& to) {
    if (is_tensor(object)) {
      check_initialized(object, "operator");
      to = value_of(object);
      return true;
    }
    auto number = number_from(object);
    if (number) to = *number;
    return number.has_value();
  };
  return convert(a, x) && convert(b, y);
}

template <typename Function>
PyObject* with_operands(PyObject* a, PyObject* b, Function function) {
  return guarded([&]() -> PyObject* {
    Operand x, y;
    if (!operands_from(a, b, x, y)) Py_RETURN_NOTIMPLEMENTED;
    return wrap(function(x, y));
  });
}

template <Op op>
PyObject* binary(PyObject* a, PyObject* b) {
  return with_operands(a, b, [](const Operand& x, const Operand& y) {
    ValuePtr result = functions::binary(op, x, y);
    return op == Op::sub && x.is_number() ? functions::labelled(std::move(result), "Rsub@1") : result;
  });
}

PyObject* matmul(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
    check_initialized(a, "matmul");
    check_initialized(b, "matmul");
    if (functions::autocasts()) [[unlikely]] {
      PyObject* operands[] = {a, b};
      CastArguments converted(functions::Precision::kLow, operands, 2);
      return wrap(functions::matmul(value_of(converted.data()[0]), value_of(converted.data()[1])));
    }
    return wrap(functions::matmul(value_of(a), value_of(b)));
  });
}

PyObject* power(PyObject* a, PyObject* b, PyObject*) { return with_operands(a, b, functions::pow); }

template <Op op>
PyObject* unary(PyObject* a) {
  return guarded([&] { return wrap(functions::unary(op, value_of(a))); });
}
PyObject* invert(PyObject* a) {
  return guarded([&] {
    const ValuePtr& x = value_of(a);
    if (is_differentiable(x->dtype))
      fail(ErrorKind::kType, "~ (operator.invert) is only implemented on integer and Boolean-type tensors");
    return wrap(functions::unary(Op::bitwise_not, x));
  });
}
PyObject* positive(PyObject* a) {
  Py_INCREF(a);
  return a;
}

template <Op op>
PyObject* in_place(PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    Operand x, y;
    if (!operands_from(a, b, x, y)) Py_RETURN_NOTIMPLEMENTED;
    engine::check_assignable(as_tensor(a)->variable);
    assign_result(a, functions::binary(op, x, y));
    Py_INCREF(a);
    return a;
  });
}
PyObject* in_place_power(PyObject* a, PyObject* b, PyObject*) {
  return guarded([&]() -> PyObject* {
    Operand x, y;
    if (!operands_from(a, b, x, y)) Py_RETURN_NOTIMPLEMENTED;
    engine::check_assignable(as_tensor(a)->variable);
    assign_result(a, functions::pow(x, y));
    Py_INCREF(a);
    return a;
  });
}

Op comparison_op(int operation) {
  switch (operation) {
    case Py_LT:
      return Op::lt;
    case Py_LE:
      return Op::le;
    case Py_EQ:
      return Op::eq;
    case Py_NE:
      return Op::ne;
    case Py_GT:
      return Op::gt;
    default:
      return Op::ge;
  }
}

// NumPy's arrays stand back from operators with tensors: what they leave to us is done as PyTorch does it.
bool is_array(PyObject* object) { return std::strcmp(Py_TYPE(object)->tp_name, "numpy.ndarray") == 0; }

PyObject* divide(PyObject* a, PyObject* b) {
  if (is_tensor(a) || !is_array(a)) return binary<Op::div>(a, b);
  Object inverse(unary<Op::reciprocal>(b));
  return inverse ? PyNumber_Multiply(inverse.get(), a) : nullptr;
}

PyObject* compare(PyObject* a, PyObject* b, int operation) {
  if (is_array(b))
    return guarded([&]() -> PyObject* {
      ValuePtr numbers;
      try {
        numbers = copy_of_buffer(b);
      } catch (const Error&) {  // no numbers of ours
        Py_RETURN_NOTIMPLEMENTED;
      }
      return wrap(functions::binary(comparison_op(operation), value_of(a), numbers));
    });
  return with_operands(
      a, b, [&](const Operand& x, const Operand& y) { return functions::binary(comparison_op(operation), x, y); });
}

// The number of a tensor with one element.
PyObject* single_element(PyObject* self) {
  ValuePtr value = value_of(self);
  if (value->shape->numel() != 1)
    fail(ErrorKind::kValue, "only one element tensors can be converted to Python scalars");
  return number_object(value);
}

int truth(PyObject* self) {
  return guarded(
      [&] {
        ValuePtr value = value_of(self);
        check(value->shape->numel() == 1, "Boolean value of Tensor with ",
              value->shape->numel() == 0 ? "no values" : "more than one value", " is ambiguous");
        Object number(number_object(value));
        return PyObject_IsTrue(number.get());
      },
      -1);
}

// The number of a tensor with one element, which int and float take.
Object real_element(PyObject* self, const char* type) {
  Object number(single_element(self));
  if (!PyComplex_Check(number.get())) return number;
  check(PyComplex_ImagAsDouble(number.get()) == 0, "value cannot be converted to type ", type, " without overflow");
  return Object(checked(PyFloat_FromDouble(PyComplex_RealAsDouble(number.get()))));
}

PyObject* to_int(PyObject* self) {
  return guarded([&] {
    Object number = real_element(self, "int64_t");
    return PyNumber_Long(number.get());
  });
}
PyObject* to_float(PyObject* self) {
  return guarded([&] {
    warn_of_lost_gradient(value_of(self));
    Object number = real_element(self, "double");
    return PyNumber_Float(number.get());
  });
}
PyObject* to_index(PyObject* self) {
  return guarded([&] {
    if (is_differentiable(value_of(self)->dtype) || value_of(self)->shape->numel() != 1)
      fail(ErrorKind::kType, "only integer tensors of a single element can be converted to an index");
    Object number(single_element(self));
    return PyNumber_Long(number.get());
  });
}

template <typename Function>
void* slot(Function* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace

void assign_result(PyObject* tensor, ValuePtr result) {
  engine::Variable& variable = as_tensor(tensor)->variable;
  const ValuePtr old = engine::current(variable);
  check(functions::can_cast(result->dtype, old->dtype), "result type ", functions::scalar_name(result->dtype),
        " can't be cast to the desired output type ", functions::scalar_name(old->dtype));
  if (result->shape != old->shape)
    fail(ErrorKind::kRuntime, "output with shape ", to_string(old->shape->dims(), '[', ']'),
         " doesn't match the broadcast shape ", to_string(result->shape->dims(), '[', ']'));
  if (result->dtype != old->dtype) result = build::cast(result, old->dtype);
  engine::assign(variable, std::move(result));
  engine::flush_if_due();
}

PyType_Slot g_number_slots[] = {{Py_nb_add, slot(binary<Op::add>)},
                                {Py_nb_subtract, slot(binary<Op::sub>)},
                                {Py_nb_multiply, slot(binary<Op::mul>)},
                                {Py_nb_true_divide, slot(divide)},
                                {Py_nb_floor_divide, slot(binary<Op::floor_divide>)},
                                {Py_nb_remainder, slot(binary<Op::remainder>)},
                                {Py_nb_power, slot(power)},
                                {Py_nb_matrix_multiply, slot(matmul)},
                                {Py_nb_and, slot(binary<Op::bitwise_and>)},
                                {Py_nb_or, slot(binary<Op::bitwise_or>)},
                                {Py_nb_xor, slot(binary<Op::bitwise_xor>)},
                                {Py_nb_negative, slot(unary<Op::neg>)},
                                {Py_nb_positive, slot(positive)},
                                {Py_nb_absolute, slot(unary<Op::abs>)},
                                {Py_nb_invert, slot(invert)},
                                {Py_nb_inplace_add, slot(in_place<Op::add>)},
                                {Py_nb_inplace_subtract, slot(in_place<Op::sub>)},
                                {Py_nb_inplace_multiply, slot(in_place<Op::mul>)},
                                {Py_nb_inplace_true_divide, slot(in_place<Op::div>)},
                                {Py_nb_inplace_floor_divide, slot(in_place<Op::floor_divide>)},
                                {Py_nb_inplace_remainder, slot(in_place<Op::remainder>)},
                                {Py_nb_inplace_power, slot(in_place_power)},
                                {Py_nb_inplace_and, slot(in_place<Op::bitwise_and>)},
                                {Py_nb_inplace_or, slot(in_place<Op::bitwise_or>)},
                                {Py_nb_inplace_xor, slot(in_place<Op::bitwise_xor>)},
                                {Py_nb_bool, slot(truth)},
                                {Py_nb_int, slot(to_int)},
                                {Py_nb_float, slot(to_float)},
                                {Py_nb_index, slot(to_index)},
                                {Py_tp_richcompare, slot(compare)},
                                {0, nullptr}};

}  // namespace lamina::bindings

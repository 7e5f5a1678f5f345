// Operands of public functions, and PyTorch's rules for the type of a result.
#pragma once

#include <initializer_list>
#include <span>

#include "graph/value.h"
#include "ops/table.h"
#include "support/kernel_ids.h"

namespace lamina::functions {

// A tensor's value, or a Python number (which has a kind, but gives way to a tensor's type of the same kind).
struct Operand {
  enum class Kind : std::uint8_t { kTensor, kBool, kInt, kFloat, kComplex };
  Kind kind = Kind::kTensor;
  ValuePtr value;
  std::int64_t integer = 0;
  double real = 0, imaginary = 0;

  Operand() = default;
  Operand(ValuePtr tensor) : value(std::move(tensor)) {}
  static Operand of(bool number);
  static Operand of(std::int64_t number);
  static Operand of(double number);
  static Operand of(double real, double imaginary);

  bool is_number() const { return kind != Kind::kTensor; }
  // The real part of a complex number.
  double as_double() const { return kind >= Kind::kFloat ? real : static_cast<double>(integer); }
  // The operand as a value of this dtype.
  ValuePtr as(DType dtype) const;
  // The same, where the number itself is to be stored: RuntimeError if it does not fit.
  ValuePtr stored_as(DType dtype) const;
  // The same, where it is to fill a tensor: narrow floats may become infinite.
  ValuePtr filled_as(DType dtype) const;
};

// RuntimeError if the number cannot be stored in this type; a fraction is cut off.
void check_fits(const Operand& number, DType dtype);

// Of a Python number on its own.
DType default_dtype_of(Operand::Kind kind);
// What Python floats are, and what integers become where only floats will do: float32 unless the user says otherwise.
DType default_float();
void set_default_float(DType dtype);

// Type promotion: tensors with axes go before 0-d tensors, those before Python numbers; within each, bool < integers <
// floats < complex numbers, and the wider type of a kind. Source: "Tensor Attributes" in PyTorch's documentation.
DType result_type(std::span<const Operand> operands);
inline DType result_type(std::initializer_list<Operand> operands) {
  return result_type(std::span<const Operand>(operands.begin(), operands.size()));
}
DType promote(DType a, DType b);
// May a result of type `from` be written into a tensor of type `to`? (Not from a float to an integer, nor to bool.)
bool can_cast(DType from, DType to);

// Is the elementwise op computed for operands of this type?
bool supports(Op op, DType dtype);
// Raises PyTorch's "not implemented for" error if it does not.
void check_supports(Op op, DType dtype);

// "Long", "Float", … as PyTorch's messages name types.
const char* scalar_name(DType dtype);

}  // namespace lamina::functions

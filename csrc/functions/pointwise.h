// Public elementwise functions: promotion, checks, then one recorded op or a short composition.
#pragma once

#include <optional>

#include "functions/operand.h"

namespace lamina::functions {

ValuePtr unary(Op op, const ValuePtr& x);
ValuePtr sgn(const ValuePtr& x);  // sign, of complex numbers x / |x|
ValuePtr isfinite(const ValuePtr& x);
// To this many decimal places, ties to even; with fewer than 0, to tens, hundreds …
ValuePtr round(const ValuePtr& x, std::int64_t decimals);

// add, mul, maximum, eq, logical_and …; both operands may be numbers only if one is a tensor.
ValuePtr binary(Op op, const Operand& a, const Operand& b);
ValuePtr add(const Operand& a, const Operand& b, const Operand& alpha);
ValuePtr sub(const Operand& a, const Operand& b, const Operand& alpha);
// mode: null, "trunc" or "floor"
ValuePtr div(const Operand& a, const Operand& b, const char* mode);
ValuePtr pow(const Operand& base, const Operand& exponent);

ValuePtr where(const ValuePtr& condition, const Operand& a, const Operand& b);
// Either bound may be absent, not both. NaN stays NaN.
ValuePtr clamp(const ValuePtr& x, const std::optional<Operand>& low, const std::optional<Operand>& high);

ValuePtr to_dtype(const ValuePtr& x, DType dtype);
// set_label, if the value has a gradient function at all; returns it.
ValuePtr labelled(ValuePtr value, const char* label);

}  // namespace lamina::functions

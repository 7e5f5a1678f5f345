// Type promotion.
#include "functions/operand.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "ops/build.h"
#include "ops/complex.h"
#include "support/check.h"

namespace lamina::functions {

namespace {

enum class Domain { Any, Number, Float, Integer };

constexpr Domain kDomains[] = {
#define LAMINA_ELEMENTWISE(name, arity, domain) Domain::domain,
#include "support/kernel_list.inc"
};

// 0 bool, 1 integer, 2 float, 3 complex
int category(DType dtype) { return is_complex(dtype) ? 3 : is_floating(dtype) ? 2 : dtype == DType::kBool ? 0 : 1; }

}  // namespace

Operand Operand::of(bool number) {
  Operand operand;
  operand.kind = Kind::kBool;
  operand.integer = number;
  return operand;
}
Operand Operand::of(std::int64_t number) {
  Operand operand;
  operand.kind = Kind::kInt;
  operand.integer = number;
  return operand;
}
Operand Operand::of(double number) {
  Operand operand;
  operand.kind = Kind::kFloat;
  operand.real = number;
  return operand;
}

Operand Operand::of(double real, double imaginary) {
  Operand operand;
  operand.kind = Kind::kComplex;
  operand.real = real;
  operand.imaginary = imaginary;
  return operand;
}

ValuePtr Operand::as(DType dtype) const {
  switch (kind) {
    case Kind::kComplex:
      if (is_complex(dtype))
        return make_scalar({std::bit_cast<std::uint64_t>(real), std::bit_cast<std::uint64_t>(imaginary)}, dtype);
      if (dtype == DType::kBool) return make_scalar(std::int64_t{real != 0 || imaginary != 0}, dtype);
      check(imaginary == 0, "value cannot be converted to type ", name_of(dtype), " without overflow");
      return make_scalar(real, dtype);
    case Kind::kTensor:
      return build::cast(value, dtype);
    case Kind::kFloat:
      if (dtype == DType::kBool) return make_scalar(std::int64_t{real != 0}, dtype);
      return make_scalar(real, dtype);
    default:
      if (dtype == DType::kBool) return make_scalar(std::int64_t{integer != 0}, dtype);
      return make_scalar(integer, dtype);
  }
}

namespace {

// Whole negative numbers wrap in an unsigned type if their magnitude fits; nothing else does.
bool fits(const Operand& number, DType dtype) {
  if (dtype == DType::kBool || dtype == DType::kFloat64 || is_complex(dtype)) return true;
  if (is_floating(dtype)) {
    double largest = dtype == DType::kFloat16 ? 65504 : std::numeric_limits<float>::max();
    return !(std::abs(number.as_double()) > largest) || std::isinf(number.as_double());
  }
  bool is_unsigned = dtype == DType::kUInt8;
  int bits = static_cast<int>(size_of(dtype)) * 8 - (is_unsigned ? 0 : 1);
  if (number.kind >= Operand::Kind::kFloat) {
    double limit = std::ldexp(1.0, bits), low = is_unsigned ? 0 : -limit;
    return number.real >= low && (bits < 63 ? number.real <= limit - 1 : number.real < limit);
  }
  if (bits == 63) return true;
  std::int64_t limit = std::int64_t{1} << bits;
  return number.integer < limit && number.integer >= (is_unsigned ? 1 - limit : -limit);
}

}  // namespace

ValuePtr Operand::stored_as(DType dtype) const {
  if (is_number()) check_fits(*this, dtype);
  return as(dtype);
}

ValuePtr Operand::filled_as(DType dtype) const {
  if (is_number()) check_fits(*this, is_floating(dtype) ? wide(dtype) : dtype);
  return as(dtype);
}

void check_fits(const Operand& number, DType dtype) {
  if (fits(number, dtype)) return;
  std::string digits = number.kind >= Operand::Kind::kFloat ? text(number.real) : text(number.integer);
  fail(ErrorKind::kRuntime, "value cannot be converted to type ", name_of(dtype), " without overflow: ", digits);
}

DType default_dtype_of(Operand::Kind kind) {
  if (kind == Operand::Kind::kBool) return DType::kBool;
  if (kind == Operand::Kind::kComplex) return complex_type(default_float());
  return kind == Operand::Kind::kInt ? DType::kInt64 : default_float();
}

DType promote(DType a, DType b) {
  DType low = std::min(a, b), high = std::max(a, b);
  if (low == DType::kUInt8 && high == DType::kInt8) return DType::kInt16;
  if (low == DType::kFloat16 && high == DType::kBFloat16) return DType::kFloat32;
  if (is_complex(high) && is_floating(low)) return std::max(high, complex_type(low));
  return high;  // the enum's order is the lattice everywhere else
}

namespace {
DType g_default_float = DType::kFloat32;
}
DType default_float() { return g_default_float; }
void set_default_float(DType dtype) { g_default_float = dtype; }

bool can_cast(DType from, DType to) { return category(from) <= category(to); }

DType result_type(std::span<const Operand> operands) {
  // One type a rank: Python numbers, 0-d tensors, tensors with axes. A higher rank only gives way to a higher category.
  bool seen[3] = {};
  DType types[3] = {};
  for (const Operand& operand : operands) {
    int rank = operand.is_number() ? 0 : operand.value->shape->rank() == 0 ? 1 : 2;
    DType dtype = operand.is_number() ? default_dtype_of(operand.kind) : operand.value->dtype;
    types[rank] = seen[rank] ? promote(types[rank], dtype) : dtype;
    seen[rank] = true;
  }
  DType result = DType::kBool;
  bool any = false;
  for (int rank = 2; rank >= 0; --rank) {
    if (!seen[rank]) continue;
    if (!any)
      result = types[rank];
    else if (is_floating(result) && is_complex(types[rank]))
      result = complex_type(result);
    else if (category(types[rank]) > category(result))
      result = types[rank];
    any = true;
  }
  return result;
}

bool supports(Op op, DType dtype) {
  if (is_complex(dtype)) return computes_complex(op);
  switch (kDomains[row(op).kernel.member]) {
    case Domain::Any:
      return true;
    case Domain::Number:
      return dtype != DType::kBool;
    case Domain::Float:
      return is_floating(dtype);
    case Domain::Integer:
      return !is_floating(dtype);
  }
  return false;
}

void check_supports(Op op, DType dtype) {
  const OpRow& entry = row(op);
  if (entry.kernel.family != Family::kElementwise || supports(op, dtype)) return;
  fail(ErrorKind::kNotImplemented, "\"", entry.name, "\" not implemented for '", scalar_name(dtype), "'");
}

const char* scalar_name(DType dtype) {
  constexpr const char* kNames[] = {"Bool",        "Byte",         "Char",         "Short", "Int",
                                    "Long",        "Half",         "BFloat16",     "Float", "Double",
                                    "ComplexHalf", "ComplexFloat", "ComplexDouble"};
  return kNames[index_of(dtype)];
}

}  // namespace lamina::functions

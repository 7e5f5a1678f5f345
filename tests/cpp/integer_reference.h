// The elementwise kernels by name, and what each shall compute of integers.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

#include "support/kernel_ids.h"

namespace lamina::kernels {

__extension__ typedef __int128 WideInt;

inline const char* name_of(Elementwise op) {
  static const char* const kNames[] = {
#define LAMINA_ELEMENTWISE(name, arity, domain) #name,
#include "support/kernel_list.inc"
  };
  return kNames[static_cast<std::size_t>(op)];
}

inline int arity_of(Elementwise op) {
  static const int kArity[] = {
#define LAMINA_ELEMENTWISE(name, arity, domain) arity,
#include "support/kernel_list.inc"
  };
  return kArity[static_cast<std::size_t>(op)];
}

inline bool is_predicate(Elementwise op) {
  switch (op) {
    case Elementwise::logical_not:
    case Elementwise::isnan:
    case Elementwise::isinf:
    case Elementwise::signbit:
    case Elementwise::eq:
    case Elementwise::ne:
    case Elementwise::lt:
    case Elementwise::le:
    case Elementwise::gt:
    case Elementwise::ge:
    case Elementwise::logical_and:
    case Elementwise::logical_or:
    case Elementwise::logical_xor:
      return true;
    default:
      return false;
  }
}

inline WideInt integer_power(WideInt a, WideInt b) {
  if (b < 0) return a == 1 ? 1 : (a == -1 ? (b % 2 == 0 ? 1 : -1) : 0);
  // Modulo 2^64, which every integer type divides.
  std::uint64_t result = 1, factor = static_cast<std::uint64_t>(a);
  for (; b != 0; b /= 2, factor *= factor) {
    if (b % 2 != 0) result *= factor;
  }
  return static_cast<std::int64_t>(result);
}

// The caller keeps the low bits of the result, or its truth.
inline WideInt reference(Elementwise op, WideInt a, WideInt b) {
  const WideInt quotient = b == 0 ? 0 : a / b, rest = b == 0 ? 0 : a % b;
  const bool rounds_down = rest != 0 && (rest < 0) != (b < 0);
  switch (op) {
    case Elementwise::copy:
      return a;
    case Elementwise::neg:
      return -a;
    case Elementwise::abs:
      return a < 0 ? -a : a;
    case Elementwise::sign:
      return (a > 0) - (a < 0);
    case Elementwise::square:
      return a * a;
    case Elementwise::relu:
      return a > 0 ? a : 0;
    case Elementwise::bitwise_not:
      return ~a;
    case Elementwise::logical_not:
      return a == 0;
    case Elementwise::add:
      return a + b;
    case Elementwise::sub:
      return a - b;
    case Elementwise::mul:
      return a * b;
    case Elementwise::floor_divide:
      return quotient - (rounds_down ? 1 : 0);
    case Elementwise::remainder:
      return rest + (rounds_down ? b : 0);
    case Elementwise::fmod:
      return rest;
    case Elementwise::pow:
      return integer_power(a, b);
    case Elementwise::maximum:
      return a > b ? a : b;
    case Elementwise::minimum:
      return a < b ? a : b;
    case Elementwise::relu_gradient:
      return a <= 0 ? 0 : b;
    case Elementwise::bitwise_and:
      return a & b;
    case Elementwise::bitwise_or:
      return a | b;
    case Elementwise::bitwise_xor:
      return a ^ b;
    case Elementwise::eq:
      return a == b;
    case Elementwise::ne:
      return a != b;
    case Elementwise::lt:
      return a < b;
    case Elementwise::le:
      return a <= b;
    case Elementwise::gt:
      return a > b;
    case Elementwise::ge:
      return a >= b;
    case Elementwise::logical_and:
      return a != 0 && b != 0;
    case Elementwise::logical_or:
      return a != 0 || b != 0;
    case Elementwise::logical_xor:
      return (a != 0) != (b != 0);
    default:
      ADD_FAILURE() << "no integer reference for " << name_of(op);
      return 0;
  }
}

}  // namespace lamina::kernels

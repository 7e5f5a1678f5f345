// Of integers: a quotient, rounded up.
#pragma once

#include <concepts>
#include <type_traits>

namespace lamina::runtime {

// a >= 0, b > 0; for a < 0 some number <= 0.
template <std::integral T>
constexpr T ceil_divide(T a, std::type_identity_t<T> b) {
  return (a + b - 1) / b;
}

}  // namespace lamina::runtime

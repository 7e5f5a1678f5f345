// What the kernel tests share: element types by DType, operands with awkward values, guarded results, errors in ulp.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/table.h"
#include "support/dtype.h"
#include "support/kernel_ids.h"

namespace lamina::kernels {

// A bool in memory: one byte that holds 0 or 1.
struct Bool {
  std::uint8_t byte = 0;
  Bool() = default;
  explicit Bool(bool value) : byte(value ? 1 : 0) {}
  operator bool() const { return byte != 0; }
  friend bool operator==(Bool a, Bool b) { return a.byte == b.byte; }
};

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<Bool> {
  static constexpr DType value = DType::kBool;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::kUInt8;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::kInt32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::kInt64;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kFloat32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::kFloat64;
};
template <class T>
inline constexpr std::size_t kIndex = index_of(DTypeOf<T>::value);

// Calls f.template operator()<T>() for every element type.
template <class F>
void for_each_type(F f) {
  f.template operator()<Bool>();
  f.template operator()<std::uint8_t>();
  f.template operator()<std::int32_t>();
  f.template operator()<std::int64_t>();
  f.template operator()<float>();
  f.template operator()<double>();
}

template <class F>
void for_each_table(F f) {
  for (const Table* const* t = available_tables(); *t != nullptr; ++t) {
    SCOPED_TRACE(std::string("isa ") + (*t)->isa);
    f(**t);
  }
}

// Values at which kernels go wrong.
template <class T>
std::vector<T> awkward_values() {
  using L = std::numeric_limits<T>;
  if constexpr (std::is_same_v<T, Bool>) {
    return {Bool(false), Bool(true)};
  } else if constexpr (std::is_floating_point_v<T>) {
    std::vector<T> values;
    for (const double x :
         {0.0, 1e-30, 1e-5, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 7.0, 88.72, 88.8, 103.9, 1e9}) {
      values.push_back(static_cast<T>(x));
      values.push_back(static_cast<T>(-x));
    }
    for (const T x : {L::denorm_min(), 5 * L::denorm_min(), L::min(), L::epsilon(), L::max(), L::infinity()}) {
      values.push_back(x);
      values.push_back(-x);
    }
    values.push_back(L::quiet_NaN());
    return values;
  } else {
    std::vector<T> values = {0, 1, 2, 3, 5, 7, 63, 64, 100, L::max(), L::max() - 1, L::min(), L::min() + 1};
    if (L::is_signed) {
      for (const int x : {1, 2, 3, 5, 7, 64}) values.push_back(static_cast<T>(-x));
    }
    return values;
  }
}

template <class T>
T random_value(std::mt19937_64& random) {
  if constexpr (std::is_same_v<T, Bool>) {
    return Bool((random() & 1) != 0);
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(std::uniform_real_distribution<double>(-8, 8)(random));
  } else {
    return static_cast<T>(static_cast<std::int64_t>(random() % 41) - (std::is_signed_v<T> ? 20 : 0));
  }
}

template <class T>
std::vector<T> random_values(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<T> values(n);
  for (T& value : values) value = random_value<T>(random);
  return values;
}

// A result of n elements between guards, one element off the vectors' alignment.
template <class T>
class Guarded {
 public:
  explicit Guarded(std::size_t n) : n_(n), bytes_((n + 2 * kGuard) * sizeof(T), kFill) {}
  T* data() { return reinterpret_cast<T*>(bytes_.data()) + kGuard; }
  const T& operator[](std::size_t i) { return data()[i]; }
  // Whether nothing outside of the result was written.
  bool intact() const {
    const auto is_fill = [](unsigned char b) { return b == kFill; };
    return std::all_of(bytes_.begin(), bytes_.begin() + kGuard * sizeof(T), is_fill) &&
           std::all_of(bytes_.end() - kGuard * sizeof(T), bytes_.end(), is_fill);
  }

 private:
  static constexpr std::ptrdiff_t kGuard = 65;
  static constexpr unsigned char kFill = 0xa5;
  std::size_t n_;
  std::vector<unsigned char> bytes_;
};

// How far `got` is from the true value, in units of the last place of T there; 0 where both are the same special value,
// infinite where they are different ones. A result that overflowed counts as one step above the largest number.
template <class T>
double ulp_error(T got, long double truth) {
  using L = std::numeric_limits<T>;
  constexpr double kWrong = std::numeric_limits<double>::infinity();
  if (std::isnan(truth)) return std::isnan(got) ? 0 : kWrong;
  if (std::isnan(got)) return kWrong;
  const T rounded = static_cast<T>(truth);
  if (got == rounded) return got == 0 && truth == 0 && std::signbit(got) != std::signbit(truth) ? kWrong : 0.5;
  if (std::signbit(got) != std::signbit(truth)) return kWrong;
  const auto clipped = [](long double x) { return std::min(std::fabs(x), std::ldexp(1.0L, L::max_exponent)); };
  int exponent = 0;
  std::frexp(std::min<long double>(std::fabs(truth), L::max()), &exponent);
  const int last_place = std::max(exponent, L::min_exponent) - L::digits;
  return static_cast<double>(std::ldexp(std::fabs(clipped(got) - clipped(truth)), -last_place));
}

}  // namespace lamina::kernels

// The 16-bit floating point types as bits, and their conversions from and to float. The functions have internal
// linkage, so that kernels of every instruction set may use them.
#pragma once

#include <cstdint>

namespace lamina {

// IEEE 754 binary16.
struct Half {
  std::uint16_t bits;
};
// The upper half of a float.
struct BFloat16 {
  std::uint16_t bits;
};

[[maybe_unused]] static inline float to_float(Half half) {
  const std::uint32_t magnitude = half.bits & 0x7FFFu, sign = static_cast<std::uint32_t>(half.bits & 0x8000u) << 16;
  // In a float's place the exponent is 112 too small, which a product corrects, that of subnormal numbers too.
  const float scaled = __builtin_bit_cast(float, magnitude << 13) * 0x1p112f;
  const std::uint32_t not_finite = magnitude >= 0x7C00u ? 0x7F800000u : 0u;
  return __builtin_bit_cast(float, __builtin_bit_cast(std::uint32_t, scaled) | not_finite | sign);
}

[[maybe_unused]] static inline float to_float(BFloat16 half) {
  return __builtin_bit_cast(float, static_cast<std::uint32_t>(half.bits) << 16);
}

// Both round to nearest, ties to even; what is too large becomes infinite.
[[maybe_unused]] static inline void from_float(float number, Half& half) {
  const std::uint32_t bits = __builtin_bit_cast(std::uint32_t, number), magnitude = bits & 0x7FFFFFFFu;
  const std::uint32_t rounded = (magnitude - 0x38000000u + 0xFFFu + (magnitude >> 13 & 1u)) >> 13;
  const std::uint32_t normal = rounded < 0x7C00u ? rounded : 0x7C00u;
  // The last place of 0.5f is that of subnormal halves: the sum rounds as they must.
  const std::uint32_t subnormal =
      __builtin_bit_cast(std::uint32_t, __builtin_bit_cast(float, magnitude) + 0.5f) - 0x3F000000u;
  const std::uint32_t finite = magnitude < 0x38800000u ? subnormal : normal;
  half.bits = static_cast<std::uint16_t>((magnitude > 0x7F800000u ? 0x7E00u : finite) | (bits >> 16 & 0x8000u));
}

[[maybe_unused]] static inline void from_float(float number, BFloat16& half) {
  const std::uint32_t bits = __builtin_bit_cast(std::uint32_t, number);
  const std::uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  const std::uint32_t not_a_number = (bits >> 16 & 0x8000u) | 0x7FC0u;
  half.bits = static_cast<std::uint16_t>((bits & 0x7FFFFFFFu) > 0x7F800000u ? not_a_number : rounded);
}

}  // namespace lamina

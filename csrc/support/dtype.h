// The element types of lamina: one enum, and the facts about each that every layer needs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lamina {

// The order is the promotion order within PyTorch's lattice: a later type absorbs an earlier one of the same kind, but
// for the pairs of `promote` (functions/operand.h) that have no order.
enum class DType : std::uint8_t {
  kBool,
  kUInt8,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kBFloat16,
  kFloat32,
  kFloat64,
  kComplex32,
  kComplex64,
  kComplex128
};

inline constexpr std::size_t kDTypeCount = 13;

constexpr std::size_t index_of(DType dtype) { return static_cast<std::size_t>(dtype); }

// A NumPy bool, and ours, is one byte that holds 0 or 1.
constexpr std::size_t size_of(DType dtype) {
  constexpr std::uint64_t kLog2 =
      0x4323211321000;  // a digit a type, kBool's last: a table would be built at every call
  return std::size_t{1} << (kLog2 >> 4 * index_of(dtype) & 15u);
}

constexpr const char* name_of(DType dtype) {
  constexpr const char* kNames[kDTypeCount] = {"bool",      "uint8",     "int8",      "int16",   "int32",
                                               "int64",     "float16",   "bfloat16",  "float32", "float64",
                                               "complex32", "complex64", "complex128"};
  return kNames[index_of(dtype)];
}

constexpr bool is_complex(DType dtype) { return dtype >= DType::kComplex32; }
constexpr bool is_floating(DType dtype) { return dtype >= DType::kFloat16 && !is_complex(dtype); }
constexpr bool is_integral(DType dtype) { return dtype != DType::kBool && dtype < DType::kFloat16; }
// Can there be gradients with respect to numbers of this type?
constexpr bool is_differentiable(DType dtype) { return dtype >= DType::kFloat16; }

// A complex number is two neighboring floats of its part type, the real part first.
constexpr DType part_type(DType dtype) {
  if (!is_complex(dtype)) return dtype;
  if (dtype == DType::kComplex32) return DType::kFloat16;
  return dtype == DType::kComplex128 ? DType::kFloat64 : DType::kFloat32;
}
constexpr DType complex_type(DType dtype) {
  if (is_complex(dtype)) return dtype;
  if (dtype == DType::kFloat16) return DType::kComplex32;
  return dtype == DType::kFloat64 ? DType::kComplex128 : DType::kComplex64;
}
constexpr DType complex_of_size(std::size_t size) {
  return size == 16 ? DType::kComplex128 : size == 8 ? DType::kComplex64 : DType::kComplex32;
}

// A narrow type is one of storage only: `record` computes in its wide type, and the kernels only convert and move it.
constexpr bool is_narrow(DType dtype) {
  constexpr unsigned kNarrow = 1u << index_of(DType::kInt8) | 1u << index_of(DType::kInt16) |
                               1u << index_of(DType::kFloat16) | 1u << index_of(DType::kBFloat16);
  return (kNarrow >> index_of(dtype) & 1u) != 0;
}
// No kernel computes in such a type: `record` composes ops with it from ops in other types.
constexpr bool is_composed(DType dtype) {
  constexpr unsigned kPlain = 1u << index_of(DType::kBool) | 1u << index_of(DType::kUInt8) |
                              1u << index_of(DType::kInt32) | 1u << index_of(DType::kInt64) |
                              1u << index_of(DType::kFloat32) | 1u << index_of(DType::kFloat64);
  return (kPlain >> index_of(dtype) & 1u) == 0;
}
// The type in which numbers of this type are computed: itself, unless it is narrow.
constexpr DType wide(DType dtype) {
  if (!is_narrow(dtype)) return dtype;
  return is_floating(dtype) ? DType::kFloat32 : DType::kInt32;
}

}  // namespace lamina

// The element types of lamina: one enum, and the facts about each that every layer needs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lamina {

// The order is the promotion order within PyTorch's lattice: a later type absorbs an earlier one of the same kind.
enum class DType : std::uint8_t { kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64 };

inline constexpr std::size_t kDTypeCount = 6;

// A NumPy bool, and ours, is one byte that holds 0 or 1.
constexpr std::size_t size_of(DType dtype) {
  constexpr std::size_t kSizes[kDTypeCount] = {1, 1, 4, 8, 4, 8};
  return kSizes[static_cast<std::size_t>(dtype)];
}

constexpr const char* name_of(DType dtype) {
  constexpr const char* kNames[kDTypeCount] = {"bool", "uint8", "int32", "int64", "float32", "float64"};
  return kNames[static_cast<std::size_t>(dtype)];
}

constexpr bool is_floating(DType dtype) { return dtype >= DType::kFloat32; }
constexpr bool is_integral(DType dtype) { return dtype != DType::kBool && !is_floating(dtype); }
constexpr std::size_t index_of(DType dtype) { return static_cast<std::size_t>(dtype); }

}  // namespace lamina

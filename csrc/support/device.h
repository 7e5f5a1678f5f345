// Where a tensor is: in memory, or nowhere.
#pragma once

#include <cstdint>

namespace lamina {

// What is on `meta` has a shape, a type and strides, and no numbers.
enum class Device : std::uint8_t { kCpu, kMeta };

constexpr const char* name_of(Device device) { return device == Device::kMeta ? "meta" : "cpu"; }

}  // namespace lamina

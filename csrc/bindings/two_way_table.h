// A table of what was found lately.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace lamina::bindings {

// 2^bits sets of two places each, by two marks of what is looked for; the older of what stands in a set goes.
template <int bits, typename Entry>
class TwoWayTable {
 public:
  // The entry that `is_it` says is the one; null if there is none.
  template <typename IsIt>
  Entry* find(std::uint64_t mark, std::uint64_t other, IsIt is_it) {
    auto& [first, second] = sets_[index(mark, other)];
    return is_it(first) ? &first : is_it(second) ? &second : nullptr;
  }
  // The same; else one that is to become it.
  template <typename IsIt>
  Entry& find_or_replace(std::uint64_t mark, std::uint64_t other, IsIt is_it) {
    if (Entry* found = find(mark, other, is_it)) return *found;
    auto& [first, second] = sets_[index(mark, other)];
    std::swap(first, second);
    return first;
  }

 private:
  static std::size_t index(std::uint64_t mark, std::uint64_t other) {
    return (mark * 0x9E3779B97F4A7C15ull + other * 0xBF58476D1CE4E5B9ull) >> (64 - bits);
  }

  struct Set {
    Entry first, second;
  };
  Set sets_[std::size_t{1} << bits];
};

}  // namespace lamina::bindings

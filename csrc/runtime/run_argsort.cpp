// Positions that sort rows, or the first of them: by integers that have the order of the numbers.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "runtime/steps.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

// -0.0 counts as 0.0, and NaN as the largest number, whatever its sign, as in NumPy and PyTorch.
template <typename Key, typename T>
Key key_of(T x) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<Key>(x);
  } else {
    using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    constexpr Bits kLargest = std::numeric_limits<Bits>::max();
    const Bits bits = std::bit_cast<Bits>(x + T{0});
    return x == x ? bits ^ ((bits >> (8 * sizeof(T) - 1)) & kLargest) : kLargest;
  }
}

// An element of a row, of which no two are equal: whatever sorts them is stable.
struct Wide {
  Wide(std::int64_t key, std::size_t position) : key_(key), position_(position) {}
  friend bool operator<(const Wide& a, const Wide& b) {
    return a.key_ != b.key_ ? a.key_ < b.key_ : a.position_ < b.position_;
  }
  std::int64_t key() const { return key_; }
  std::int64_t position() const { return static_cast<std::int64_t>(position_); }

 private:
  std::int64_t key_;
  std::size_t position_;
};

// One of fewer than 2^32 with a short key: compared as one word, without a branch.
struct Short {
  Short(std::int32_t key, std::size_t position)
      : word_((static_cast<std::int64_t>(key) * (std::int64_t{1} << 32)) | static_cast<std::int64_t>(position)) {}
  friend bool operator<(const Short& a, const Short& b) { return a.word_ < b.word_; }
  std::int32_t key() const { return static_cast<std::int32_t>(word_ >> 32); }
  std::int64_t position() const { return word_ & 0xffffffff; }

 private:
  std::int64_t word_;
};

// Below this many, comparing is quicker than counting digits.
constexpr std::size_t kCounted = 256;

// Entries in the order of their positions, sorted by the bytes of their keys, the last byte first. Returns where they
// are then: in one of the two.
template <typename Entry>
Entry* sort_by_bytes(Entry* entries, Entry* others, std::size_t n) {
  using Key = std::make_unsigned_t<decltype(entries->key())>;
  constexpr std::size_t kBytes = sizeof(Key);
  std::size_t starts[kBytes][256] = {};
  const auto byte_of = [](const Entry& entry, std::size_t byte) {
    const Key key = static_cast<Key>(entry.key()) ^ (Key{1} << (8 * kBytes - 1));
    return static_cast<std::size_t>((key >> (8 * byte)) & 255);
  };
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t byte = 0; byte < kBytes; ++byte) ++starts[byte][byte_of(entries[i], byte)];
  for (std::size_t byte = 0; byte < kBytes; ++byte) {
    if (starts[byte][byte_of(entries[0], byte)] == n) continue;  // all have the same
    std::size_t start = 0;
    for (std::size_t& place : starts[byte]) start += std::exchange(place, start);
    for (std::size_t i = 0; i < n; ++i) others[starts[byte][byte_of(entries[i], byte)]++] = entries[i];
    std::swap(entries, others);
  }
  return entries;
}

// A row of which the first `count` positions in order are wanted; key of descending order: the complement.
template <typename Entry, typename T>
struct Row {
  using Key = decltype(std::declval<Entry>().key());

  Key key(std::size_t i) const { return key_of<Key>(x[i]) ^ flip; }

  // What a selection keeps: what may still be among the first, and room for a block.
  static constexpr std::size_t kBlock = 64;
  bool selects() const { return count * 4 <= n; }
  std::size_t room() const { return selects() ? std::min(2 * count + kBlock, n) : n < kCounted ? n : 2 * n; }

  const Entry* sort(Entry* entries) const {
    for (std::size_t i = 0; i < n; ++i) entries[i] = Entry(key(i), i);
    if (n >= kCounted) return sort_by_bytes(entries, entries + n, n);
    std::sort(entries, entries + n);
    return entries;
  }

  const Entry* select(Entry* kept) const {
    std::size_t size = 0;
    const auto narrow = [&] {
      std::nth_element(kept, kept + count - 1, kept + size);
      size = count;
      return kept[count - 1].key();
    };
    const auto finish = [&] {
      narrow();
      std::sort(kept, kept + count);
      return kept;
    };
    if (count <= kGroups / 2 && n >= 8 * kGroups) {
      select_by_groups(kept, size, narrow);
      return finish();
    }
    // Reads the row once; most elements are only compared with the last of the first so far.
    size = room();
    for (std::size_t i = 0; i < size; ++i) kept[i] = Entry(key(i), i);
    std::size_t next = size;
    Key last = narrow();
    for (; next < n; next += kBlock) {
      const std::size_t length = std::min(kBlock, n - next);
      Key keys[kBlock];
      bool any = false;
      for (std::size_t i = 0; i < length; ++i) keys[i] = key(next + i);
      for (std::size_t i = 0; i < length; ++i) any |= keys[i] < last;
      if (!any) continue;
      for (std::size_t i = 0; i < length; ++i)
        if (keys[i] < last) kept[size++] = Entry(keys[i], next + i);
      if (size > 2 * count) last = narrow();
    }
    return finish();
  }

  // Of as many groups of elements each has its first one: what comes behind the last wanted of these is not among the
  // first. Both looks at the row go by vectors.
  static constexpr std::size_t kGroups = kBlock;
  template <typename Narrow>
  void select_by_groups(Entry* kept, std::size_t& size, Narrow narrow) const {
    const kernels::Table& table = kernels::table();
    const auto first = static_cast<std::size_t>(flip ? Reduce::amax : Reduce::amin);
    const auto behind = static_cast<std::size_t>(flip ? Elementwise::lt : Elementwise::gt);
    T limits[kGroups];
    table.reduce_columns[first][type](limits, x, n / kGroups, kGroups, kGroups);
    std::nth_element(limits, limits + count - 1, limits + kGroups,
                     [&](T a, T b) { return (key_of<Key>(a) ^ flip) < (key_of<Key>(b) ^ flip); });
    std::fill(limits, limits + kGroups, limits[count - 1]);
    Key last = key_of<Key>(limits[0]) ^ flip;
    bool equal = true;  // whether elements equal to the last are wanted
    for (std::size_t next = 0; next < n; next += kGroups) {
      const std::size_t length = std::min(kGroups, n - next);
      std::uint64_t is_behind[kGroups / 8] = {};
      const void* both[2] = {x + next, limits};
      table.elementwise[behind][type](is_behind, both, length);
      for (std::size_t start = 0; start < length; start += 8) {
        if (is_behind[start / 8] == 0x0101010101010101) continue;
        for (std::size_t i = start; i < std::min(start + 8, length); ++i)
          if (const Key one = key(next + i); one < last || (equal && one == last)) kept[size++] = Entry(one, next + i);
      }
      if (size > 2 * count) last = narrow(), equal = false;
    }
  }

  const T* x;
  std::size_t n, count;
  Key flip;
  std::size_t type;  // T's number
};

template <typename Entry, typename T>
void sort_rows(const ArgsortStep& step, Slots slots) {
  const auto* in = reinterpret_cast<const T*>(at(slots, step.in));
  auto* out = reinterpret_cast<std::int64_t*>(at(slots, step.out));
  const auto n = static_cast<std::size_t>(step.n), count = static_cast<std::size_t>(step.count);
  const std::int64_t weight = step.count * 4 <= step.n ? 4 : 32;
  parallel_for(static_cast<std::size_t>(step.rows), grain_for(step.rows, weight * step.n),
               [&](std::size_t begin, std::size_t end) {
                 for (std::size_t i = begin; i < end; ++i) {
                   const Row<Entry, T> row{in + i * n, n, count, step.descending ? -1 : 0, index_of(step.dtype)};
                   auto* scratch = static_cast<Entry*>(thread_scratch(row.room() * sizeof(Entry)));
                   const Entry* first = row.selects() ? row.select(scratch) : row.sort(scratch);
                   std::transform(first, first + count, out + i * count, [](const Entry& e) { return e.position(); });
                 }
               });
}

void rank_rows(const ArgsortStep& step, Slots slots) {
  const auto n = static_cast<std::size_t>(step.n), count = static_cast<std::size_t>(step.count);
  const std::byte* in = at(slots, step.in);
  auto* out = reinterpret_cast<std::int64_t*>(at(slots, step.out));
  parallel_for(static_cast<std::size_t>(step.rows), grain_for(step.rows, step.n * (step.n + 16) / 4),
               [&](std::size_t begin, std::size_t end) {
                 kernels::table().rank_rows[index_of(step.dtype)](
                     out + begin * count, in + begin * n * size_of(step.dtype), end - begin, n, count, step.descending);
               });
}

}  // namespace

void run(const ArgsortStep& step, Slots slots) {
  if (static_cast<std::size_t>(step.n) <= kernels::kMostRanked && kernels::table().rank_rows[index_of(step.dtype)])
    return rank_rows(step, slots);
  const bool few = step.n < std::int64_t{1} << 32;
  switch (step.dtype) {
    case DType::kBool:
    case DType::kUInt8:
      return few ? sort_rows<Short, std::uint8_t>(step, slots) : sort_rows<Wide, std::uint8_t>(step, slots);
    case DType::kInt32:
      return few ? sort_rows<Short, std::int32_t>(step, slots) : sort_rows<Wide, std::int32_t>(step, slots);
    case DType::kFloat32:
      return few ? sort_rows<Short, float>(step, slots) : sort_rows<Wide, float>(step, slots);
    case DType::kInt64:
      return sort_rows<Wide, std::int64_t>(step, slots);
    case DType::kFloat64:
      return sort_rows<Wide, double>(step, slots);
    default:
      return;  // narrow numbers are widened first, and complex ones have no order
  }
}

}  // namespace lamina::runtime

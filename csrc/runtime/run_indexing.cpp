// Steps that address elements or rows by index. Indices are within bounds: checked when they were recorded.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <type_traits>

#include "runtime/ceil_divide.h"
#include "runtime/steps.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

// A byte of 0 or 1; the sum of two is what either has.
struct Truth {
  std::uint8_t byte;
};
Truth sum(Truth a, Truth b) { return {static_cast<std::uint8_t>(a.byte | b.byte)}; }

// Integers wrap around.
template <typename T>
  requires std::is_arithmetic_v<T>
T sum(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using Unsigned = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<Unsigned>(a) + static_cast<Unsigned>(b));
  } else {
    return a + b;
  }
}

// Calls body with a value of the dtype's C++ type. Narrow and complex types are only moved, which their bits suffice
// for: a complex number of two doubles is its memory.
struct Pair {
  std::uint64_t words[2];
};
template <typename Body>
void with_type(DType dtype, Body body) {
  switch (dtype) {
    case DType::kBool:
      return body(Truth{});
    case DType::kUInt8:
    case DType::kInt8:
      return body(std::uint8_t{});
    case DType::kInt16:
    case DType::kFloat16:
    case DType::kBFloat16:
      return body(std::uint16_t{});
    case DType::kInt32:
    case DType::kComplex32:
      return body(std::int32_t{});
    case DType::kInt64:
    case DType::kComplex64:
      return body(std::int64_t{});
    case DType::kFloat32:
      return body(float{});
    case DType::kFloat64:
      return body(double{});
    case DType::kComplex128:
      return body(Pair{});
  }
}

// The table's element for each entry of the index from `begin` to `end` along the first axis, in row-major order.
template <typename Body>
void for_each_entry(const IndexStep& step, const std::int64_t* index, std::int64_t begin, std::int64_t end, Body body) {
  if (step.dims.empty()) {
    body(0, 0);
    return;
  }
  const std::size_t last = step.dims.size() - 1;
  const std::int64_t along = step.strides[last];
  std::int64_t base = begin * step.strides[0];
  if (last == 1 && step.axis_stride == 1 && along == 0) {  // along rows
    const std::int64_t width = step.dims[1];
    for (std::int64_t entry = begin * width, stop = end * width; entry < stop; base += step.strides[0])
      for (const std::int64_t row_end = entry + width; entry < row_end; ++entry) body(entry, base + index[entry]);
    return;
  }
  if (last <= 1) {
    const std::int64_t rows = last == 1 ? end - begin : 1, width = last == 1 ? step.dims[1] : end - begin;
    std::int64_t entry = last == 1 ? begin * width : begin;
    for (std::int64_t row = 0; row < rows; ++row, base += step.strides[0])
      for (std::int64_t i = 0; i < width; ++i, ++entry) body(entry, base + i * along + index[entry] * step.axis_stride);
    return;
  }
  std::int64_t inner = 1;
  for (std::size_t axis = 1; axis <= last; ++axis) inner *= step.dims[axis];
  DimVector coordinates(last, 0);
  coordinates[0] = begin;
  for (std::int64_t entry = begin * inner; entry < end * inner;) {
    for (std::int64_t i = 0; i < step.dims[last]; ++i, ++entry)
      body(entry, base + i * along + index[entry] * step.axis_stride);
    for (std::size_t axis = last; axis-- > 0;) {
      base += step.strides[axis];
      if (++coordinates[axis] < step.dims[axis]) break;
      base -= step.strides[axis] * step.dims[axis];
      coordinates[axis] = 0;
    }
  }
}

// Counts on their own, where they are few: whole numbers may be added in any order.
template <typename T>
bool add_on_their_own(const IndexStep& step, const std::int64_t* index, const T* elements, T* table) {
  constexpr std::int64_t kMostPlaces = 4096, kLeastEntries = 1 << 16;
  if (step.dims.size() != 1 || step.places > kMostPlaces || step.dims[0] < kLeastEntries) return false;
  const auto entries = static_cast<std::size_t>(step.dims[0]), places = static_cast<std::size_t>(step.places);
  const std::int64_t stride = step.element_stride;
  std::mutex meets;
  parallel_for(entries, ceil_divide(entries, static_cast<std::size_t>(num_threads())),
               [&](std::size_t begin, std::size_t end) {
                 auto* own = static_cast<T*>(thread_scratch(places * sizeof(T)));
                 std::fill_n(own, places, T{});
                 for (auto i = static_cast<std::int64_t>(begin); i < static_cast<std::int64_t>(end); ++i)
                   own[index[i]] = sum(own[index[i]], elements[i * stride]);
                 const std::lock_guard lock(meets);
                 for (std::size_t place = 0; place < places; ++place) table[place] = sum(table[place], own[place]);
               });
  return true;
}

}  // namespace

void run(const IndexStep& step, Slots slots) {
  const auto* index = reinterpret_cast<const std::int64_t*>(at(slots, step.index));
  // Reading can be shared out anyhow; writing only where entries of different rows meet different elements.
  const std::int64_t rows = step.dims.empty() ? 1 : step.dims[0];
  std::int64_t total = 1;
  for (std::int64_t size : step.dims) total *= size;
  const bool apart = step.kind == IndexStep::Kind::kGather || (step.dims.size() > 1 && step.strides[0] != 0);
  const std::size_t grain = apart && rows > 0 ? grain_for(rows, 4 * (total / rows)) : static_cast<std::size_t>(rows);
  const std::int64_t stride = step.element_stride;
  with_type(step.dtype, [&](auto zero) {
    using T = decltype(zero);
    auto* table = reinterpret_cast<T*>(at(slots, step.table));
    auto* elements = reinterpret_cast<T*>(at(slots, step.elements));
    if constexpr (std::is_same_v<T, std::int64_t>)
      if (step.kind == IndexStep::Kind::kScatterAdd && step.dtype == DType::kInt64 &&
          add_on_their_own(step, index, elements, table))
        return;
    parallel_for(static_cast<std::size_t>(rows), grain, [&](std::size_t from, std::size_t to) {
      const auto begin = static_cast<std::int64_t>(from), end = static_cast<std::int64_t>(to);
      switch (step.kind) {
        case IndexStep::Kind::kGather:
          return for_each_entry(step, index, begin, end,
                                [=](std::int64_t i, std::int64_t where) { elements[i] = table[where]; });
        case IndexStep::Kind::kScatter:
          return for_each_entry(step, index, begin, end,
                                [=](std::int64_t i, std::int64_t where) { table[where] = elements[i * stride]; });
        case IndexStep::Kind::kScatterAdd:
          if constexpr (requires(T x) { sum(x, x); })
            for_each_entry(step, index, begin, end, [=](std::int64_t i, std::int64_t where) {
              table[where] = sum(table[where], elements[i * stride]);
            });
          return;
      }
    });
  });
}

namespace {

// Rows of so few elements are moved and added element by element: a call for each would take longer.
constexpr std::int64_t kShortRow = 4;

template <typename T>
void run_short_rows(const RowsStep& step, const std::int64_t* index, T* table, T* elements) {
  const std::int64_t row = step.row;
  const auto for_rows = [=](std::int64_t begin, std::int64_t end, auto body) {
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t j = 0; j < row; ++j) body(table[index[i] * row + j], elements[i * row + j]);
  };
  if (step.kind == RowsStep::Kind::kTake) {
    parallel_for(static_cast<std::size_t>(step.count), grain_for(step.count, 2 * row),
                 [=](std::size_t begin, std::size_t end) {
                   for_rows(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end),
                            [](T& place, T& element) { element = place; });
                 });
  } else if (step.kind == RowsStep::Kind::kPut) {  // in order: the last of equal indices wins
    for_rows(0, step.count, [](T& place, T& element) { place = element; });
  } else if constexpr (requires(T x) { sum(x, x); }) {
    for_rows(0, step.count, [](T& place, T& element) { place = sum(place, element); });
  }
}

}  // namespace

void run(const RowsStep& step, Slots slots) {
  const auto* index = reinterpret_cast<const std::int64_t*>(at(slots, step.index));
  std::byte* table = at(slots, step.table);
  std::byte* elements = at(slots, step.elements);
  const auto count = static_cast<std::size_t>(step.count), size = size_of(step.dtype);
  const std::size_t bytes = static_cast<std::size_t>(step.row) * size;
  if (step.row <= kShortRow) {
    with_type(step.dtype, [&](auto zero) {
      using T = decltype(zero);
      run_short_rows(step, index, reinterpret_cast<T*>(table), reinterpret_cast<T*>(elements));
    });
    return;
  }
  const auto row_of = [=](std::size_t i) { return table + static_cast<std::size_t>(index[i]) * bytes; };
  if (step.kind == RowsStep::Kind::kTake) {
    parallel_for(count, grain_for(step.count, step.row), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) std::memcpy(elements + i * bytes, row_of(i), bytes);
    });
    return;
  }
  // Threads have rows of the table, so that what goes to one of these goes there in order. All look at the whole index,
  // which shorter rows are not worth.
  constexpr std::int64_t kSharedRow = 128;
  const auto places = static_cast<std::size_t>(step.places);
  const bool shared = step.row >= kSharedRow && grain_for(step.count, step.row) < count;
  const std::size_t parts = shared ? static_cast<std::size_t>(num_threads()) : 1;
  const auto add = kernels::table().elementwise[static_cast<std::size_t>(Elementwise::add)][index_of(step.dtype)];
  parallel_for(places, ceil_divide(places, parts), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = 0; i < count; ++i) {
      if (static_cast<std::size_t>(index[i]) - begin >= end - begin) continue;
      std::byte *place = row_of(i), *given = elements + i * bytes;
      const void* in[2] = {place, given};
      if (step.kind == RowsStep::Kind::kPut)
        std::memcpy(place, given, bytes);
      else
        add(place, in, static_cast<std::size_t>(step.row));
    }
  });
}

}  // namespace lamina::runtime

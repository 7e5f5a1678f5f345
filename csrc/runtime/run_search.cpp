// Searches in sorted rows, shared by the numbers that are looked for.
#include <algorithm>
#include <bit>

#include "runtime/steps.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

void run(const SearchStep& step, Slots slots) {
  const kernels::SearchFn search = kernels::table().search[index_of(step.dtype)];
  const std::byte *sorted = at(slots, step.sorted), *numbers = at(slots, step.numbers);
  auto* const out = reinterpret_cast<std::int64_t*>(at(slots, step.out));
  const auto size = static_cast<std::int64_t>(size_of(step.dtype));
  const std::int64_t halvings = std::bit_width(static_cast<std::uint64_t>(step.length)) + 1;
  const std::int64_t all = step.rows * step.count;
  parallel_for(static_cast<std::size_t>(all), grain_for(all, 4 * halvings), [&](std::size_t from, std::size_t to) {
    const auto end = static_cast<std::int64_t>(to);
    for (auto begin = static_cast<std::int64_t>(from); begin < end;) {
      const std::int64_t row = begin / step.count, n = std::min(end, (row + 1) * step.count) - begin;
      search(out + begin, numbers + begin * size, static_cast<std::size_t>(n), sorted + row * step.length * size,
             static_cast<std::size_t>(step.length), step.behind_equals);
      begin += n;
    }
  });
}

}  // namespace lamina::runtime

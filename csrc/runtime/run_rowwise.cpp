// The row-wise step: rows are shared out among the threads; a long row is also cut into parts, by its length only, so
// that the thread count does not change a bit of the result.
#include <vector>

#include "runtime/run_stretch.h"
#include "runtime/steps.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

constexpr std::size_t kPart = 1 << 13;  // elements of a long row: they stay in the cache from one look to the next

// Two looks at memory: one for the parts' statistics, one for the results.
void run_long_row(const RowwiseStep& step, std::byte* out, const std::byte* in) {
  const kernels::Table& table = kernels::table();
  std::size_t type = index_of(step.dtype), size = size_of(step.dtype), n = static_cast<std::size_t>(step.n);
  std::size_t parts = (n + kPart - 1) / kPart;
  std::vector<std::byte> statistics((parts + 1) * 2 * size);  // the parts', then the row's
  std::byte* of_row = statistics.data() + parts * 2 * size;
  parallel_for(n, kPart, [&](std::size_t begin, std::size_t end) {
    table.row_statistics[type](statistics.data() + begin / kPart * 2 * size, in + begin * size, end - begin);
  });
  table.merge_statistics[type](of_row, statistics.data(), parts);
  auto finish = table.finish_row[static_cast<std::size_t>(step.kernel)][type];
  if (step.kernel == Rowwise::logsumexp) return finish(out, nullptr, 1, of_row);
  parallel_for(n, kPart, [&](std::size_t begin, std::size_t end) {
    finish(out + begin * size, in + begin * size, end - begin, of_row);
  });
}

void run_range(const RowwiseStep& step, Slots slots, std::size_t begin, std::size_t end) {
  auto n = static_cast<std::size_t>(step.n), size = size_of(step.dtype);
  std::size_t width = step.kernel == Rowwise::logsumexp ? 1 : n;
  const std::byte* in = at(slots, step.in) + begin * n * size;
  std::byte* out = at(slots, step.out) + begin * width * size;
  if (n <= 2 * kPart)
    return kernels::table().rowwise[static_cast<std::size_t>(step.kernel)][index_of(step.dtype)](out, in, end - begin,
                                                                                                 n);
  for (; begin < end; ++begin, in += n * size, out += width * size) run_long_row(step, out, in);
}

}  // namespace

void run(const RowwiseStep& step, Slots slots) {
  std::size_t grain = static_cast<std::size_t>(step.n) > 2 * kPart ? 1 : grain_for(step.rows, 4 * step.n);
  parallel_for(static_cast<std::size_t>(step.rows), grain,
               [&](std::size_t begin, std::size_t end) { run_range(step, slots, begin, end); });
}

void run_rows(const RowwiseStep& step, Slots slots, std::int64_t, std::int64_t begin, std::int64_t end) {
  run_range(step, slots, static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
}

}  // namespace lamina::runtime

// The row-wise step: rows are shared out among the threads; a long row is also cut into parts, by its length only, so
// that the thread count does not change a bit of the result.
#include <algorithm>
#include <vector>

#include "runtime/run_stretch.h"
#include "runtime/steps.h"
#include "runtime/stream.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

constexpr std::size_t kWhole = kWholeRow;
constexpr std::size_t kPart = 1 << 13;  // elements of a long row: they stay in the cache from one look to the next

// Rows that a thread takes at a time: enough that what they ask for beyond their end hardly counts, and whole lines.
std::size_t rows_of_chunk(const RowwiseStep& step) {
  constexpr std::int64_t kElements = 1 << 19, kChunks = 64;
  std::int64_t rows = std::min(step.outer / kChunks, kElements / std::max<std::int64_t>(step.n, 1)) / 16 * 16;
  return std::max(grain_for(step.outer, 4 * step.n), static_cast<std::size_t>(rows));
}

// Two looks at memory: one for the parts' statistics, one for the results.
void run_long_row(const RowwiseStep& step, std::byte* out, const std::byte* in, bool streamed) {
  const kernels::Table& table = kernels::table();
  std::size_t type = index_of(step.dtype), size = size_of(step.dtype), n = static_cast<std::size_t>(step.n);
  std::size_t parts = (n + kPart - 1) / kPart, together = std::clamp<std::size_t>(parts / 16, 1, 16);
  std::vector<std::byte> statistics((parts + 1) * 2 * size);  // the parts', then the row's
  std::byte* of_row = statistics.data() + parts * 2 * size;
  parallel_for(n, kPart * together, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; begin += kPart)
      table.row_statistics[type](statistics.data() + begin / kPart * 2 * size, in + begin * size,
                                 std::min(kPart, end - begin));
  });
  table.merge_statistics[type](of_row, statistics.data(), parts);
  auto finish = table.finish_row[static_cast<std::size_t>(step.kernel)][type];
  if (step.kernel == Rowwise::logsumexp) return finish(out, nullptr, 1, of_row, false);
  parallel_for(n, kPart * together, [&](std::size_t begin, std::size_t end) {
    finish(out + begin * size, in + begin * size, end - begin, of_row, streamed);
    if (streamed) finish_streaming();
  });
}

void stream_rows(const RowwiseStep& step, std::byte* out, const std::byte* in, std::size_t rows) {
  constexpr std::size_t kPieceBytes = 1 << 12;
  auto kernel = kernels::table().rowwise[static_cast<std::size_t>(step.kernel)][index_of(step.dtype)];
  std::size_t row = static_cast<std::size_t>(step.n) * size_of(step.dtype);
  std::size_t together = rows_of_piece(row, kPieceBytes);
  auto* piece = static_cast<std::byte*>(thread_scratch(together * row));
  for (std::size_t count; rows != 0; rows -= count, in += count * row, out += count * row) {
    count = std::min(together, rows);
    kernel(piece, in, count, static_cast<std::size_t>(step.n));
    stream(out, piece, count * row);
  }
  finish_streaming();
}

void run_range(const RowwiseStep& step, Slots slots, std::size_t begin, std::size_t end) {
  auto n = static_cast<std::size_t>(step.n), size = size_of(step.dtype);
  std::size_t width = step.kernel == Rowwise::logsumexp ? 1 : n;
  const std::byte* in = at(slots, step.in) + begin * n * size;
  std::byte* out = at(slots, step.out) + begin * width * size;
  bool streamed = streams(step, slots);
  if (n <= kWhole && streamed) return stream_rows(step, out, in, end - begin);
  if (n <= kWhole)
    return kernels::table().rowwise[static_cast<std::size_t>(step.kernel)][index_of(step.dtype)](out, in, end - begin,
                                                                                                 n);
  for (; begin < end; ++begin, in += n * size, out += width * size) run_long_row(step, out, in, streamed);
}

}  // namespace

bool streams(const RowwiseStep& step, Slots slots) {
  if (step.kernel == Rowwise::logsumexp || step.read_soon || at(slots, step.out) == at(slots, step.in)) return false;
  return step.outer * step.n * step.inner * static_cast<std::int64_t>(size_of(step.dtype)) >= kStreamedBytes;
}

void run(const RowwiseStep& step, Slots slots) {
  if (step.inner > 1) return run_down_columns(step, slots);
  std::size_t grain = static_cast<std::size_t>(step.n) > kWhole ? 1 : rows_of_chunk(step);
  parallel_for(static_cast<std::size_t>(step.outer), grain,
               [&](std::size_t begin, std::size_t end) { run_range(step, slots, begin, end); });
}

void run_rows(const RowwiseStep& step, Slots slots, std::int64_t rows, std::int64_t begin, std::int64_t end) {
  std::int64_t each = step.outer / rows;
  run_range(step, slots, static_cast<std::size_t>(begin * each), static_cast<std::size_t>(end * each));
}

}  // namespace lamina::runtime

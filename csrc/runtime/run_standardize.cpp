// The step that brings rows to mean 0 and variance 1, and its gradient: rows are shared out among the threads.
#include "runtime/run_stretch.h"
#include "runtime/steps.h"
#include "runtime/stream.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

// Not what is written over an operand: its lines are in the cache.
bool streams(const StandardizeStep& step, Slots slots) {
  const std::byte* out = at(slots, step.out);
  if (step.read_soon || out == at(slots, step.x) || (step.back && out == at(slots, step.gradient))) return false;
  return step.rows * step.n * static_cast<std::int64_t>(size_of(step.dtype)) >= kStreamedBytes;
}

void run_range(const StandardizeStep& step, Slots slots, std::int64_t begin, std::int64_t end) {
  const kernels::Table& table = kernels::table();
  const std::size_t type = index_of(step.dtype), n = static_cast<std::size_t>(step.n);
  const std::size_t rows = static_cast<std::size_t>(end - begin);
  const std::int64_t before = begin * step.n * static_cast<std::int64_t>(size_of(step.dtype));
  std::byte* const out = at(slots, step.out) + before;
  const std::byte* const x = at(slots, step.x) + before;
  const bool streamed = streams(step, slots);
  if (step.back) {
    table.standardize_input[type](out, at(slots, step.gradient) + before, x, rows, n, step.eps, streamed);
  } else {
    table.standardize[type](out, x, rows, n, step.eps, streamed);
  }
  if (streamed) finish_streaming();
}

}  // namespace

void run(const StandardizeStep& step, Slots slots) {
  parallel_for(static_cast<std::size_t>(step.rows), grain_for(step.rows, 4 * step.n),
               [&](std::size_t begin, std::size_t end) {
                 run_range(step, slots, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
               });
}

void run_rows(const StandardizeStep& step, Slots slots, std::int64_t rows, std::int64_t begin, std::int64_t end) {
  const std::int64_t each = step.rows / rows;
  run_range(step, slots, begin * each, end * each);
}

}  // namespace lamina::runtime

// The step that brings rows to mean 0 and variance 1, and its gradient: rows are shared out among the threads.
#include <algorithm>

#include "runtime/run_stretch.h"
#include "runtime/steps.h"
#include "runtime/stream.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

// Not what is written over an operand: its lines are in the cache.
bool streams(const StandardizeStep& step, Slots slots) {
  const std::byte* out = at(slots, step.out);
  if (step.read_soon || out == at(slots, step.x) || (step.back && out == at(slots, step.gradient))) return false;
  return step.rows * step.n * static_cast<std::int64_t>(size_of(step.dtype)) >= kStreamedBytes;
}

kernels::StandardizeArgs args_of(const StandardizeStep& step, Slots slots) {
  kernels::StandardizeArgs args{};
  args.out = at(slots, step.out);
  if (step.back) args.g = at(slots, step.gradient);
  args.x = at(slots, step.x);
  args.n = static_cast<std::size_t>(step.n);
  args.eps = step.eps;
  if (step.has_scale) args.scale = at(slots, step.scale);
  if (step.has_shift) args.shift = at(slots, step.shift);
  if (step.back && step.has_scale) args.scaled = thread_scratch(args.n * size_of(step.dtype));
  args.streamed = streams(step, slots);
  return args;
}

void run_range(const StandardizeStep& step, Slots slots, std::int64_t begin, std::int64_t end) {
  const kernels::Table& table = kernels::table();
  const std::int64_t row = step.n * static_cast<std::int64_t>(size_of(step.dtype));
  kernels::StandardizeArgs args = args_of(step, slots);
  const auto run_rows = [&](std::int64_t first, std::int64_t last) {
    kernels::StandardizeArgs some = args;
    some.out = at(slots, step.out) + first * row;
    some.x = at(slots, step.x) + first * row;
    if (step.back) some.g = at(slots, step.gradient) + first * row;
    if (step.sums_scale) some.scale_sums = at(slots, step.scale_parts) + first / step.part * row;
    if (step.sums_shift) some.shift_sums = at(slots, step.shift_parts) + first / step.part * row;
    some.rows = static_cast<std::size_t>(last - first);
    (step.back ? table.standardize_input : table.standardize)[index_of(step.dtype)](some);
  };
  if (step.sums()) {
    for (; begin < end; begin += step.part) run_rows(begin, std::min(begin + step.part, end));
  } else {
    run_rows(begin, end);
  }
  if (args.streamed) finish_streaming();
}

}  // namespace

// Parts of sums are made by one thread each.
void run(const StandardizeStep& step, Slots slots) {
  constexpr std::int64_t kRow = 32;  // elements: what a row costs besides its own
  const std::int64_t each = step.sums() ? step.part : 1, count = (step.rows + each - 1) / each;
  parallel_for(static_cast<std::size_t>(count), grain_for(count, 4 * each * (step.n + kRow)),
               [&](std::size_t begin, std::size_t end) {
                 run_range(step, slots, static_cast<std::int64_t>(begin) * each,
                           std::min(static_cast<std::int64_t>(end) * each, step.rows));
               });
}

void run_rows(const StandardizeStep& step, Slots slots, std::int64_t rows, std::int64_t begin, std::int64_t end) {
  const std::int64_t each = step.rows / rows;
  run_range(step, slots, begin * each, end * each);
}

}  // namespace lamina::runtime

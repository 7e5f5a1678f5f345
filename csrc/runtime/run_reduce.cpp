// The reduction step. How a reduction is cut into blocks depends on its sizes only, so the thread count does not change
// a bit of the result.
#include <cstring>
#include <vector>

#include "runtime/steps.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

constexpr std::int64_t kBlock = 1 << 15;  // elements of a long row that are reduced as one

bool is_arg(Reduce kernel) { return kernel == Reduce::argmax || kernel == Reduce::argmin; }

DType result_of(Reduce kernel, DType dtype) {
  if (is_arg(kernel)) return DType::kInt64;
  return kernel == Reduce::any || kernel == Reduce::all ? DType::kBool : dtype;
}

// One long row: blocks first, in any order, then their results.
void run_long_row(const ReduceStep& step, const std::byte* in, std::byte* out) {
  const kernels::Table& table = kernels::table();
  auto kernel_for = [&](DType dtype) {
    return table.reduce_rows[static_cast<std::size_t>(step.kernel)][index_of(dtype)];
  };
  std::int64_t blocks = (step.n + kBlock - 1) / kBlock;
  DType result = result_of(step.kernel, step.dtype);
  std::size_t size = size_of(step.dtype), result_size = size_of(result);
  std::vector<std::byte> partial(static_cast<std::size_t>(blocks) * result_size);
  parallel_for(static_cast<std::size_t>(blocks), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t block = begin; block < end; ++block) {
      std::int64_t start = static_cast<std::int64_t>(block) * kBlock, n = std::min(kBlock, step.n - start);
      kernel_for(step.dtype)(partial.data() + block * result_size, in + start * static_cast<std::int64_t>(size), 1,
                             static_cast<std::size_t>(n));
    }
  });
  if (!is_arg(step.kernel)) {
    kernel_for(result)(out, partial.data(), 1, static_cast<std::size_t>(blocks));
    return;
  }
  // The best of the blocks' best elements; the first block wins a tie, as the first element does.
  auto* positions = reinterpret_cast<std::int64_t*>(partial.data());
  std::vector<std::byte> best(static_cast<std::size_t>(blocks) * size);
  for (std::int64_t block = 0; block < blocks; ++block) {
    positions[block] += block * kBlock;
    std::memcpy(best.data() + static_cast<std::size_t>(block) * size,
                in + positions[block] * static_cast<std::int64_t>(size), size);
  }
  std::int64_t winner;
  kernel_for(step.dtype)(&winner, best.data(), 1, static_cast<std::size_t>(blocks));
  std::memcpy(out, &positions[winner], sizeof(std::int64_t));
}

}  // namespace

void run(const ReduceStep& step, Slots slots) {
  const kernels::Table& table = kernels::table();
  const std::byte* in = at(slots, step.in);
  std::byte* out = at(slots, step.out);
  auto kernel = static_cast<std::size_t>(step.kernel);
  std::size_t size = size_of(step.dtype), result_size = size_of(result_of(step.kernel, step.dtype));
  auto n = static_cast<std::size_t>(step.n), inner = static_cast<std::size_t>(step.inner);
  if (inner == 1) {
    if (step.n > 2 * kBlock) {
      for (std::int64_t row = 0; row < step.outer; ++row)
        run_long_row(step, in + static_cast<std::size_t>(row) * n * size,
                     out + static_cast<std::size_t>(row) * result_size);
      return;
    }
    auto reduce = table.reduce_rows[kernel][index_of(step.dtype)];
    parallel_for(static_cast<std::size_t>(step.outer), grain_for(step.outer, step.n),
                 [&](std::size_t begin, std::size_t end) {
                   reduce(out + begin * result_size, in + begin * n * size, end - begin, n);
                 });
    return;
  }
  auto reduce = table.reduce_columns[kernel][index_of(step.dtype)];
  // Columns are independent: chunks of at least a few cache lines of them.
  std::size_t strip = std::max<std::size_t>(grain_for(step.inner, step.n * step.outer), 64);
  for (std::size_t o = 0; o < static_cast<std::size_t>(step.outer); ++o) {
    const std::byte* from = in + o * n * inner * size;
    std::byte* to = out + o * inner * result_size;
    parallel_for(inner, strip, [&](std::size_t begin, std::size_t end) {
      reduce(to + begin * result_size, from + begin * size, n, end - begin, inner);
    });
  }
}

}  // namespace lamina::runtime

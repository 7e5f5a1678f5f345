// The reduction step. How a reduction is cut into blocks depends on its sizes only, so the thread count does not change
// a bit of the result.
#include <cstring>
#include <vector>

#include "runtime/run_stretch.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

bool is_arg(Reduce kernel) { return kernel == Reduce::argmax || kernel == Reduce::argmin; }

DType result_of(Reduce kernel, DType dtype) {
  if (is_arg(kernel)) return DType::kInt64;
  return kernel == Reduce::any || kernel == Reduce::all ? DType::kBool : dtype;
}

// So much no cache of a small machine holds.
constexpr std::size_t kFarBytes = std::size_t{32} << 20;

bool is_far(const ReduceStep& step) {
  return static_cast<std::size_t>(step.outer * step.n * step.inner) * size_of(step.dtype) >= kFarBytes;
}

kernels::ReduceRowsFn rows_kernel(const ReduceStep& step, DType dtype) {
  const kernels::Table& table = kernels::table();
  return (is_far(step) ? table.reduce_far_rows
                       : table.reduce_rows)[static_cast<std::size_t>(step.kernel)][index_of(dtype)];
}

kernels::ReduceColumnsFn columns_kernel(const ReduceStep& step, DType dtype) {
  const kernels::Table& table = kernels::table();
  return (is_far(step) ? table.reduce_far_columns
                       : table.reduce_columns)[static_cast<std::size_t>(step.kernel)][index_of(dtype)];
}

// A long reduction of [n][inner] in blocks of n: first the blocks, in any order, then their results. Memory is read in
// order whatever inner is.
void run_in_blocks(const ReduceStep& step, std::size_t block, const std::byte* in, std::byte* out) {
  auto n = static_cast<std::size_t>(step.n), inner = static_cast<std::size_t>(step.inner);
  auto reduce = [&](DType dtype, std::byte* to, const std::byte* from, std::size_t count) {
    if (inner == 1)
      rows_kernel(step, dtype)(to, from, 1, count);
    else
      columns_kernel(step, dtype)(to, from, count, inner, inner);
  };
  std::size_t blocks = (n + block - 1) / block;
  DType result = result_of(step.kernel, step.dtype);
  std::size_t size = size_of(step.dtype), result_size = size_of(result);
  std::vector<std::byte> partial(blocks * inner * result_size);
  parallel_for(n, block, [&](std::size_t begin, std::size_t end) {
    reduce(step.dtype, partial.data() + begin / block * inner * result_size, in + begin * inner * size, end - begin);
  });
  if (!is_arg(step.kernel)) return reduce(result, out, partial.data(), blocks);
  // The best of the blocks' best elements; the first block wins a tie, as the first element does.
  auto* positions = reinterpret_cast<std::int64_t*>(partial.data());
  std::vector<std::byte> best(blocks * inner * size);
  for (std::size_t i = 0; i < blocks * inner; ++i) {
    positions[i] += static_cast<std::int64_t>(i / inner * block);
    std::memcpy(best.data() + i * size, in + (static_cast<std::size_t>(positions[i]) * inner + i % inner) * size, size);
  }
  std::vector<std::int64_t> winners(inner);
  reduce(step.dtype, reinterpret_cast<std::byte*>(winners.data()), best.data(), blocks);
  auto* results = reinterpret_cast<std::int64_t*>(out);
  for (std::size_t j = 0; j < inner; ++j) results[j] = positions[static_cast<std::size_t>(winners[j]) * inner + j];
}

// The block's length where a reduction is done in blocks, else 0. Below, threads share the rows or columns.
std::int64_t block_of(const ReduceStep& step) {
  constexpr std::int64_t kElements = 1 << 15, kLeastRows = 256, kWidest = 1 << 14;
  if (step.inner == 1) return step.n > 2 * kElements ? kElements : 0;
  std::int64_t rows = std::max(kLeastRows, 2 * kElements / step.inner);
  return step.inner <= kWidest && step.n > 2 * rows ? rows : 0;
}

}  // namespace

void run(const ReduceStep& step, Slots slots) {
  if (step.outer == 0 || step.inner == 0) return;  // between axes, where a later step makes something of nothing
  const std::byte* in = at(slots, step.in);
  std::byte* out = at(slots, step.out);
  std::size_t size = size_of(step.dtype), result_size = size_of(result_of(step.kernel, step.dtype));
  auto outer = static_cast<std::size_t>(step.outer), n = static_cast<std::size_t>(step.n),
       inner = static_cast<std::size_t>(step.inner);
  if (std::int64_t block = block_of(step)) {
    for (std::size_t o = 0; o < outer; ++o)
      run_in_blocks(step, static_cast<std::size_t>(block), in + o * n * inner * size, out + o * inner * result_size);
    return;
  }
  if (inner == 1) {
    kernels::ReduceRowsFn reduce = rows_kernel(step, step.dtype);
    parallel_for(outer, grain_for(step.outer, step.n), [&](std::size_t begin, std::size_t end) {
      reduce(out + begin * result_size, in + begin * n * size, end - begin, n);
    });
    return;
  }
  kernels::ReduceColumnsFn reduce = columns_kernel(step, step.dtype);
  // Columns are independent: strips of at least a few cache lines of them.
  std::size_t strip = std::max<std::size_t>(grain_for(step.inner, step.n), inner < 4096 ? 64 : 1024);
  std::size_t strips = (inner + strip - 1) / strip;
  auto units = static_cast<std::int64_t>(outer * strips);
  parallel_for(outer * strips, grain_for(units, step.n * step.inner * step.outer / units),
               [&](std::size_t begin, std::size_t end) {
                 for (std::size_t unit = begin; unit < end; ++unit) {
                   std::size_t o = unit / strips, left = unit % strips * strip, width = std::min(strip, inner - left);
                   reduce(out + (o * inner + left) * result_size, in + (o * n * inner + left) * size, n, width, inner);
                 }
               });
}

void run_rows(const ReduceStep& step, Slots slots, std::int64_t rows, std::int64_t begin, std::int64_t end) {
  std::int64_t each = step.outer / rows, n = step.n;
  std::byte* out =
      at(slots, step.out) + begin * each * static_cast<std::int64_t>(size_of(result_of(step.kernel, step.dtype)));
  const std::byte* in = at(slots, step.in) + begin * each * n * static_cast<std::int64_t>(size_of(step.dtype));
  kernels::table().reduce_rows[static_cast<std::size_t>(step.kernel)][index_of(step.dtype)](
      out, in, static_cast<std::size_t>((end - begin) * each), static_cast<std::size_t>(n));
}

}  // namespace lamina::runtime

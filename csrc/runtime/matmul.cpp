// Cuts matrix products into chunks for the pool. Where the cuts lie changes no bit: kernels choose the order of sums by
// what chunks share with the whole.
#include "runtime/matmul.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>

#include "runtime/ceil_divide.h"
#include "runtime/stream.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {
namespace {

using kernels::MatmulArgs;

// Multiply-adds below which sharing costs more than it saves, and the least worth a chunk of its own.
constexpr std::size_t kSharedWork = 150'000;
constexpr std::size_t kChunkWork = 100'000;
// Chunks for each thread, so that one that is disturbed does not keep the others waiting.
constexpr std::size_t kChunks = 4;
// The least rows of a chunk: those that a chunk's b is packed for, those that pack rows of a, and those that are worth
// a chunk if a thread would have none otherwise, because c is narrow.
constexpr std::size_t kLeastRows = 32, kLeastPackedRows = 96, kLeastNarrowRows = 16;
// Columns are cut between cache lines and between the panels of every instruction set.
constexpr std::size_t kColumnUnit = 32;
// A product of so many rows is cut into them, down to the least, where a thread can keep its columns of b packed.
// What the second level cannot keep of it is worth reading again for more of them.
constexpr std::size_t kTallRows = 256, kLeastTallRows = 64, kLeastFarRows = 128;
constexpr std::size_t kNearBytes = std::size_t{1} << 20;
// Results so large are written past the caches. A tile's lines are whole, and many others are written before the next
// tile reads, so it pays sooner than elementwise.
constexpr std::size_t kStreamedProduct = std::size_t{1} << 25;

bool goes_past_caches(const MatmulArgs& args, std::size_t size) {
  const auto begins_line = [](std::uintptr_t bytes) { return bytes % 64 == 0; };
  return args.tail == nullptr && args.m * args.n * size >= kStreamedProduct &&
         begins_line(reinterpret_cast<std::uintptr_t>(args.c)) &&
         begins_line(static_cast<std::uintptr_t>(args.c_row) * size);
}

// A single column that is left over belongs to the unit before it: alone it would be summed in another order.
std::size_t units_of(std::size_t columns) { return columns <= 2 ? 1 : ceil_divide(columns - 1, kColumnUnit); }

// How one product is cut: a grid of nearly equal blocks of c.
struct Grid {
  std::size_t rows = 1, columns = 1;
  bool by_columns = false;  // chunks of the same columns follow each other: a thread packs their b once
};

// Columns are cut first, because chunks of columns read rows of a where they lie and share nothing of b. But where the
// kernels pack a, chunks of rows spare them to pack it again. In tall products a thread keeps its columns of b packed:
// only as many parts of them as threads, for wide chunks read each row once, or one where rows are packed, which costs
// twice as much as packing b. Products of a batch are chunks, too, and better ones.
Grid grid_of(const MatmulArgs& args, std::size_t entries, std::size_t size) {
  const std::size_t threads = static_cast<std::size_t>(num_threads()), units = units_of(args.n);
  const std::size_t affordable = std::max<std::size_t>(1, args.m * args.n * args.k / kChunkWork);
  const std::size_t wanted = ceil_divide(kChunks * threads, entries);
  // A power of two, which the usual numbers of threads divide.
  std::size_t chunks = std::bit_floor(std::min(affordable, wanted));
  const auto cut = [&chunks](std::size_t most) {
    const std::size_t parts = std::min(chunks, std::bit_floor(std::max<std::size_t>(1, most)));
    chunks /= parts;
    return parts;
  };
  Grid grid;
  if (args.n == 1) {
    grid.rows = cut(args.m / 8);
  } else if (units == 1) {
    const std::size_t least = args.a_column == 1 ? kLeastRows : kLeastPackedRows;
    grid.rows = cut(std::max(args.m / least, std::min(threads, args.m / kLeastNarrowRows)));
  } else if (entries == 1 && args.m >= kTallRows) {
    grid.by_columns = true;
    const bool packs = args.a_column != 1;  // rows of a
    const std::size_t bytes = args.n * args.k * size;
    std::size_t columns = packs ? 1 : std::min(chunks, std::bit_floor(threads));
    const auto too_low = [&] {
      const std::size_t least = packs ? kLeastRows : bytes > columns * kNearBytes ? kLeastFarRows : kLeastTallRows;
      return args.m * columns < chunks * least;
    };
    while (columns < chunks && (bytes > columns * kernels::kKeptBytes || too_low())) columns *= 2;
    grid.columns = cut(std::min(columns, units));
    grid.rows = cut(args.m / kLeastRows);
  } else if (args.a_column == 1) {
    grid.columns = cut(units);
    grid.rows = cut(args.m / kLeastRows);
  } else {
    grid.rows = cut(args.m / kLeastPackedRows);
    grid.columns = cut(units);
  }
  return grid;
}

void run(kernels::MatmulFn multiply, kernels::MatmulWorkspaceFn workspace, MatmulArgs& args) {
  const std::size_t bytes = workspace(args);
  args.workspace = bytes == 0 ? nullptr : thread_scratch(bytes);
  multiply(args);
  if (args.past_caches) finish_streaming();
}

// What a thread's scratch holds of b since its last chunk, and of which product.
struct Held {
  std::uint64_t product = 0;
  std::size_t bytes = 0;  // of the scratch
  kernels::PackedB packed{};
};

void run_chunk(kernels::MatmulFn multiply, kernels::MatmulWorkspaceFn workspace, MatmulArgs& args,
               std::uint64_t product) {
  thread_local Held held;
  if (held.product != product) held = {product, 0, {}};
  args.packed = &held.packed;
  const std::size_t bytes = workspace(args);
  if (bytes > held.bytes) held = {product, bytes, {}};  // the scratch may move
  args.workspace = bytes == 0 ? nullptr : thread_scratch(held.bytes);
  multiply(args);
  if (args.past_caches) finish_streaming();
}

const void* moved(const void* p, std::ptrdiff_t elements, std::size_t size) {
  return static_cast<const char*>(p) + elements * static_cast<std::ptrdiff_t>(size);
}

}  // namespace

void matmul_alone(DType dtype, MatmulArgs args) {
  const kernels::Table& table = kernels::table();
  run(table.matmul[index_of(dtype)], table.matmul_workspace[index_of(dtype)], args);
}

void matmul(DType dtype, const MatmulArgs& args, std::span<const std::ptrdiff_t> a_offsets,
            std::span<const std::ptrdiff_t> b_offsets, std::span<const std::ptrdiff_t> c_offsets) {
  const kernels::MatmulFn multiply = kernels::table().matmul[index_of(dtype)];
  const kernels::MatmulWorkspaceFn workspace = kernels::table().matmul_workspace[index_of(dtype)];
  const std::size_t size = size_of(dtype), entries = c_offsets.size();
  const std::size_t work = args.m * args.n * args.k;

  const auto entry_of = [&](std::size_t e) {
    MatmulArgs entry = args;
    entry.a = moved(args.a, a_offsets[e], size);
    entry.b = moved(args.b, b_offsets[e], size);
    entry.c = const_cast<void*>(moved(args.c, c_offsets[e], size));
    entry.past_caches = goes_past_caches(entry, size);
    return entry;
  };
  const auto run_entries = [&](std::size_t begin, std::size_t end) {
    for (std::size_t e = begin; e < end; ++e) {
      MatmulArgs entry = entry_of(e);
      run(multiply, workspace, entry);
    }
  };
  if (work * entries < kSharedWork || num_threads() == 1) return run_entries(0, entries);

  const Grid grid = grid_of(args, entries, size);
  const std::size_t blocks = grid.rows * grid.columns;
  if (blocks == 1) return parallel_for(entries, ceil_divide(kChunkWork, std::max<std::size_t>(work, 1)), run_entries);

  static std::atomic<std::uint64_t> products{0};
  const std::uint64_t product = products.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::size_t units = units_of(args.n);
  parallel_for(entries * blocks, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t chunk = begin; chunk < end; ++chunk) {
      MatmulArgs block = entry_of(chunk / blocks);
      const std::size_t at = chunk % blocks;
      const std::size_t row = grid.by_columns ? at % grid.rows : at / grid.columns;
      const std::size_t column = grid.by_columns ? at / grid.rows : at % grid.columns;
      const std::size_t first_row = args.m * row / grid.rows;
      const std::size_t first_column = units * column / grid.columns * kColumnUnit;
      block.whole_m = args.m;
      block.m = args.m * (row + 1) / grid.rows - first_row;
      const std::size_t end_column =
          column + 1 == grid.columns ? args.n : units * (column + 1) / grid.columns * kColumnUnit;
      block.n = end_column - first_column;
      const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(first_row), j = static_cast<std::ptrdiff_t>(first_column);
      block.a = moved(block.a, i * args.a_row, size);
      block.b = moved(block.b, j * args.b_column, size);
      block.c = const_cast<void*>(moved(block.c, i * args.c_row + j, size));
      if (block.bias != nullptr) block.bias = moved(block.bias, j, size);
      if (grid.by_columns) {
        run_chunk(multiply, workspace, block, product);
      } else {
        run(multiply, workspace, block);
      }
    }
  });
}

}  // namespace lamina::runtime

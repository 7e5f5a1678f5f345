// Elementwise steps whose results are reduced as they come by: a tile is combined while it is in the cache. Where the
// parts of a reduction end depends on sizes only, so the thread count does not change a bit of the result.
#include <cstring>

#include "runtime/thread_pool.h"
#include "runtime/tile_interpreter.h"

namespace lamina::runtime {

namespace {

using Reduction = ElementwiseStep::Reduction;

constexpr std::int64_t kTile = TileInterpreter::kTile;
constexpr std::int64_t kStrip = 1 << 12;      // columns whose results stay in the cache from row to row
constexpr std::int64_t kMostTiles = 1 << 10;  // of a part of a row

kernels::ReduceRowsFn rows_kernel(const Reduction& reduction) {
  return kernels::table().reduce_rows[static_cast<std::size_t>(reduction.kernel)][index_of(reduction.dtype)];
}
kernels::ReduceColumnsFn columns_kernel(const Reduction& reduction) {
  return kernels::table().reduce_columns[static_cast<std::size_t>(reduction.kernel)][index_of(reduction.dtype)];
}

// to = the combination of to and with.
void combine(const Reduction& reduction, std::byte* to, const std::byte* with, std::int64_t n) {
  Elementwise kernel = reduction.kernel == Reduce::sum    ? Elementwise::add
                       : reduction.kernel == Reduce::prod ? Elementwise::mul
                       : reduction.kernel == Reduce::amax ? Elementwise::maximum
                                                          : Elementwise::minimum;
  const void* operands[] = {to, with};
  kernels::table().elementwise[static_cast<std::size_t>(kernel)][index_of(reduction.dtype)](
      to, operands, static_cast<std::size_t>(n));
}

// The step's parts, in the order [outer][parts], each of `inner` results.
struct Parts {
  const ElementwiseStep& step;
  Slots slots;
  std::int64_t parts = step.parts();

  std::int64_t first_row(std::int64_t unit) const { return unit % parts * step.part; }
  std::int64_t rows(std::int64_t unit) const { return std::min(step.part, step.n - first_row(unit)); }
  std::int64_t start(std::int64_t unit) const { return (unit / parts * step.n + first_row(unit)) * step.inner; }
  std::byte* results(const Reduction& reduction, std::int64_t unit) const {
    std::byte* base = at(slots, parts > 1 ? reduction.parts : reduction.out);
    return base + unit * step.inner * static_cast<std::int64_t>(size_of(reduction.dtype));
  }
};

// inner == 1, short rows: some of them make a tile.
void reduce_short_rows(const Parts& all, std::int64_t begin, std::int64_t end) {
  TileInterpreter interpreter(all.step, all.slots);
  std::int64_t n = all.step.n, together = kTile / n;
  for (std::int64_t row = begin; row < end; row += together) {
    std::int64_t rows = std::min(together, end - row);
    interpreter.run(row * n, rows * n);
    for (const Reduction& reduction : all.step.reductions)
      rows_kernel(reduction)(all.results(reduction, row), interpreter.elements(reduction.in[0]),
                             static_cast<std::size_t>(rows), static_cast<std::size_t>(n));
  }
}

void reduce_tile(const Reduction& reduction, const TileInterpreter& interpreter, std::byte* to, std::size_t n) {
  if (reduction.arity == 0) return rows_kernel(reduction)(to, interpreter.elements(reduction.in[0]), 1, n);
  const void* in[kMostTerms];
  std::size_t steps[kMostTerms];
  for (std::size_t k = 0; k < reduction.arity; ++k) {
    in[k] = interpreter.elements(reduction.in[k]);
    steps[k] = interpreter.step(reduction.in[k]);
  }
  kernels::table().sum_of[static_cast<std::size_t>(reduction.of)][index_of(reduction.dtype)](to, in, steps, n);
}

// inner == 1: the results of a part's tiles are reduced like a row.
void reduce_rows(const Parts& all, std::int64_t begin, std::int64_t end) {
  const auto& reductions = all.step.reductions;
  std::size_t room = kMostTiles * 8;
  TileInterpreter interpreter(all.step, all.slots, reductions.size() * room);
  for (std::int64_t unit = begin; unit < end; ++unit) {
    std::int64_t start = all.start(unit), stop = start + all.rows(unit);
    std::size_t tiles = 0;
    bool at_once = interpreter.stretch(start, stop) == stop - start;
    for (; start < stop; ++tiles) {
      std::int64_t n = interpreter.stretch(start, stop);
      interpreter.run(start, n);
      for (std::size_t i = 0; i < reductions.size(); ++i) {
        std::byte* of_tile = interpreter.extra() + i * room + tiles * size_of(reductions[i].dtype);
        reduce_tile(reductions[i], interpreter, at_once ? all.results(reductions[i], unit) : of_tile,
                    static_cast<std::size_t>(n));
      }
      start += n;
    }
    for (std::size_t i = 0; i < reductions.size() && !at_once; ++i)
      rows_kernel(reductions[i])(all.results(reductions[i], unit), interpreter.extra() + i * room, 1, tiles);
  }
}

// Few columns: a tile has some rows.
void reduce_narrow(const Parts& all, std::int64_t begin, std::int64_t end) {
  std::int64_t inner = all.step.inner, together = kTile / inner;
  auto columns = static_cast<std::size_t>(inner);
  TileInterpreter interpreter(all.step, all.slots, columns * 8);
  for (std::int64_t unit = begin; unit < end; ++unit) {
    std::int64_t start = all.start(unit), rows = all.rows(unit);
    for (std::int64_t row = 0; row < rows; row += together) {
      std::int64_t count = std::min(together, rows - row);
      interpreter.run(start + row * inner, count * inner);
      for (const Reduction& reduction : all.step.reductions) {
        std::byte* to = all.results(reduction, unit);
        columns_kernel(reduction)(row == 0 ? to : interpreter.extra(), interpreter.elements(reduction.in[0]),
                                  static_cast<std::size_t>(count), columns, columns);
        if (row != 0) combine(reduction, to, interpreter.extra(), inner);
      }
    }
  }
}

// Many columns: strips of them, row after row.
void reduce_wide(const Parts& all, std::int64_t strips, std::int64_t begin, std::int64_t end) {
  TileInterpreter interpreter(all.step, all.slots);
  std::int64_t inner = all.step.inner;
  for (std::int64_t number = begin; number < end; ++number) {
    std::int64_t unit = number / strips, left = number % strips * kStrip, right = std::min(left + kStrip, inner);
    std::int64_t start = all.start(unit), rows = all.rows(unit);
    for (std::int64_t row = 0; row < rows; ++row, start += inner) {
      for (std::int64_t column = left; column < right;) {
        std::int64_t n = interpreter.stretch(start + column, start + right);
        interpreter.run(start + column, n);
        for (const Reduction& reduction : all.step.reductions) {
          std::size_t size = size_of(reduction.dtype);
          std::byte* to = all.results(reduction, unit) + static_cast<std::size_t>(column) * size;
          const std::byte* tile = interpreter.elements(reduction.in[0]);
          if (row == 0)
            std::memcpy(to, tile, static_cast<std::size_t>(n) * size);
          else
            combine(reduction, to, tile, n);
        }
        column += n;
      }
    }
  }
}

void reduce_some(const Parts& all, std::int64_t begin, std::int64_t end) {
  (all.step.n <= kTile / 2 ? reduce_short_rows : reduce_rows)(all, begin, end);
}

}  // namespace

void reduce_units(const ElementwiseStep& step, Slots slots, std::int64_t begin, std::int64_t end) {
  reduce_some({step, slots}, begin, end);
}

void run_fused_reduce(const ElementwiseStep& step, Slots slots) {
  Parts all{step, slots};
  std::int64_t units = step.outer * all.parts, weight = operations_of(step) + 1;
  auto share_out = [&](std::int64_t count, std::int64_t elements, auto&& body) {
    parallel_for(static_cast<std::size_t>(count), grain_for(count, elements * weight),
                 [&](std::size_t begin, std::size_t end) {
                   body(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
                 });
  };
  if (step.inner > kTile / 2) {
    std::int64_t strips = (step.inner + kStrip - 1) / kStrip;
    share_out(units * strips, step.part * std::min(kStrip, step.inner),
              [&](std::int64_t begin, std::int64_t end) { reduce_wide(all, strips, begin, end); });
  } else {
    auto run_units = step.inner > 1 ? reduce_narrow : reduce_some;
    share_out(units, step.part * step.inner, [&](std::int64_t begin, std::int64_t end) { run_units(all, begin, end); });
  }
  if (all.parts == 1) return;
  auto parts = static_cast<std::size_t>(all.parts), inner = static_cast<std::size_t>(step.inner);
  for (const Reduction& reduction : step.reductions) {
    std::byte *to = at(slots, reduction.out), *from = at(slots, reduction.parts);
    std::size_t size = inner * size_of(reduction.dtype);
    for (std::size_t o = 0; o < static_cast<std::size_t>(step.outer); ++o)
      columns_kernel(reduction)(to + o * size, from + o * parts * size, parts, inner, inner);
  }
}

}  // namespace lamina::runtime

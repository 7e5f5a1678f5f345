// The elementwise step: tile by tile, shared out among the threads.
#include "runtime/run_stretch.h"
#include "runtime/thread_pool.h"
#include "runtime/tile_interpreter.h"

namespace lamina::runtime {

namespace {

void run_range(const ElementwiseStep& step, Slots slots, std::int64_t start, std::int64_t stop) {
  TileInterpreter interpreter(step, slots);
  while (start < stop) {
    std::int64_t n = interpreter.stretch(start, stop);
    interpreter.run(start, n);
    start += n;
  }
}

}  // namespace

void run(const ElementwiseStep& step, Slots slots) {
  if (!step.reductions.empty()) return run_fused_reduce(step, slots);
  constexpr std::size_t kTile = TileInterpreter::kTile;
  constexpr std::size_t kLeastTiles = 16;  // of a chunk: they repay filling the uniform operands' tiles
  std::int64_t weight = operations_of(step);
  std::size_t tiles = std::max(kLeastTiles, (grain_for(step.numel, weight) + kTile - 1) / kTile);
  parallel_for(static_cast<std::size_t>(step.numel), tiles * kTile, [&](std::size_t begin, std::size_t end) {
    run_range(step, slots, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
  });
}

void run_rows(const ElementwiseStep& step, Slots slots, std::int64_t rows, std::int64_t begin, std::int64_t end) {
  if (!step.reductions.empty()) {
    std::int64_t each = step.outer / rows;
    return reduce_units(step, slots, begin * each, end * each);
  }
  std::int64_t row = step.numel / rows;
  run_range(step, slots, begin * row, end * row);
}

}  // namespace lamina::runtime

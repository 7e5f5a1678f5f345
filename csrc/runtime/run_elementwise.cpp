// The elementwise step: tile by tile, shared out among the threads.
#include "runtime/thread_pool.h"
#include "runtime/tile_interpreter.h"

namespace lamina::runtime {

void run(const ElementwiseStep& step, Slots slots) {
  if (!step.reductions.empty()) return run_fused_reduce(step, slots);
  constexpr std::size_t kTile = TileInterpreter::kTile;
  constexpr std::size_t kLeastTiles = 32;  // of a chunk: they repay filling the uniform operands' tiles
  auto weight = static_cast<std::int64_t>(step.instructions.size());
  std::size_t tiles = std::max(kLeastTiles, (grain_for(step.numel, weight) + kTile - 1) / kTile);
  parallel_for(static_cast<std::size_t>(step.numel), tiles * kTile, [&](std::size_t begin, std::size_t end) {
    TileInterpreter interpreter(step, slots);
    auto stop = static_cast<std::int64_t>(end);
    for (auto start = static_cast<std::int64_t>(begin); start < stop;) {
      std::int64_t n = interpreter.stretch(start, stop);
      interpreter.run(start, n);
      start += n;
    }
  });
}

}  // namespace lamina::runtime

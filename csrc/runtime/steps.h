// One function a kind of step. slots: the plan's base pointers.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/table.h"
#include "plan/plan.h"

namespace lamina::runtime {

using Slots = std::byte* const*;

inline std::byte* at(Slots slots, const Location& location) { return slots[location.slot] + location.offset; }

// Work below this is not worth waking a thread for: about 50 µs of streaming.
inline constexpr std::int64_t kParallelElements = 1 << 16;

// How many units of `elements` each make a chunk worth handing out; a whole call's worth if it is not to be split.
inline std::size_t grain_for(std::int64_t units, std::int64_t elements) {
  if (units * elements < 2 * kParallelElements) return static_cast<std::size_t>(std::max<std::int64_t>(units, 1));
  return static_cast<std::size_t>(
      std::max<std::int64_t>(1, kParallelElements / 2 / std::max<std::int64_t>(elements, 1)));
}

void run(const ElementwiseStep& step, Slots slots);
// An elementwise step with reductions.
void run_fused_reduce(const ElementwiseStep& step, Slots slots);
// Some of the rows of one that reduces rows in one part, inner == 1; on the calling thread.
void reduce_units(const ElementwiseStep& step, Slots slots, std::int64_t begin, std::int64_t end);
void run(const CopyStep& step, Slots slots);
void run(const ReduceStep& step, Slots slots);
void run(const RowwiseStep& step, Slots slots);
// Whether a row-wise step's results are computed in scratch memory before they go past the caches.
bool streams(const RowwiseStep& step, Slots slots);
// A row-wise step whose rows lie side by side: inner > 1.
void run_down_columns(const RowwiseStep& step, Slots slots);
void run(const StandardizeStep& step, Slots slots);
void run(const ScanStep& step, Slots slots);
void run(const ArgsortStep& step, Slots slots);
void run(const SearchStep& step, Slots slots);
void run(const FourierStep& step, Slots slots);
void run(const MatmulStep& step, Slots slots);
void run(const SolveTriangleStep& step, Slots slots);
void run(const ConvolutionStep& step, Slots slots);
void run(const MaxPoolStep& step, Slots slots);
void run(const WindowSumsStep& step, Slots slots);
void run(const ExtendStep& step, Slots slots);
void run(const IndexStep& step, Slots slots);
void run(const RowsStep& step, Slots slots);
void run(const WeighedStep& step, Slots slots);
void run(const RandomStep& step, Slots slots);

}  // namespace lamina::runtime

// Runs steps in other ways than one after the other: short ones on several threads that go through them side by side,
// large ones block by block of rows.
#pragma once

#include "runtime/kept_weights.h"
#include "runtime/step_times.h"
#include "runtime/steps.h"

namespace lamina::runtime {

// For members > 1, the caller included; fewer threads may come, or the caller does all of it where that has been
// quicker. The results are the same to the bit.
void run_stretch(const Plan& plan, const Stretch& stretch, Slots slots, std::uint32_t members,
                 StepTimes* times = nullptr);

// Blocks of rows are shared out among the threads.
void run_row_blocks(const Plan& plan, const RowBlocks& blocks, Slots slots, StepTimes* times = nullptr);

// What one of the members does of a step, or one of as many parts of the rows; a single member does all of it.
// asking: the share whose `ahead` is asked for meanwhile; kNoShare: none. kept: where a copy of the step's weight may
// be.
constexpr std::uint32_t kNoShare = static_cast<std::uint32_t>(-1);
void run_share(const Plan& plan, Slots slots, std::uint32_t number, std::uint32_t place, std::uint32_t members,
               std::uint32_t asking, KeptWeight kept = {});

// Copies the transposed weight of a product to `to`, as rows that are contiguous.
void transpose_weight(const MatmulStep& step, Slots slots, std::byte* to);

// A share of a step: rows [begin, end) of `rows`. Runs on the calling thread. ahead: what a product asks for meanwhile.
void run_rows(const ElementwiseStep& step, Slots slots, std::int64_t rows, std::int64_t begin, std::int64_t end);
void run_rows(const MatmulStep& step, Slots slots, std::int64_t begin, std::int64_t end, kernels::Ahead ahead,
              KeptWeight kept);
void run_rows(const RowwiseStep& step, Slots slots, std::int64_t rows, std::int64_t begin, std::int64_t end);
void run_rows(const StandardizeStep& step, Slots slots, std::int64_t rows, std::int64_t begin, std::int64_t end);
void run_rows(const ReduceStep& step, Slots slots, std::int64_t rows, std::int64_t begin, std::int64_t end);

}  // namespace lamina::runtime

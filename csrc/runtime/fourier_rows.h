// Fourier transforms of long rows: one at a time, its parts side by side in the lanes of vectors.
#pragma once

#include "plan/plan.h"
#include "runtime/steps.h"

namespace lamina::runtime {

// Whether the step's rows go through run_long_rows: its axis is the last, and there are too few rows for the lanes, or
// too many points for the caches.
bool has_long_rows(const FourierStep& step);
void run_long_rows(const FourierStep& step, Slots slots);

}  // namespace lamina::runtime

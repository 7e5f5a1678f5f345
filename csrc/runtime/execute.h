// Runs a plan: its steps in order, each on as many threads as pay.
#pragma once

#include <cstddef>

#include "plan/plan.h"

namespace lamina::runtime {

// slots: plan.slots() base pointers (arena, inputs, scalars, outputs), aligned to their element types. Does not
// allocate for values, does not fail on their numbers, needs no interpreter lock. Two calls may run at the same time on
// different memory.
void execute(const Plan& plan, std::byte* const* slots);

}  // namespace lamina::runtime

// Runs a plan: its steps in order, each on as many threads as pay.
#pragma once

#include <chrono>
#include <cstddef>

#include "plan/plan.h"
#include "runtime/step_times.h"

namespace lamina::runtime {

// slots: plan.slots() base pointers (arena, inputs, scalars, outputs), aligned to their element types. Runs the steps
// from `next` on, and counts them there. Does not fail on numbers, but a step may raise std::bad_alloc: then `next` is
// that step, and a second call goes on with it, unless it overwrites its operands. Begins no further step after
// `until`, if that is not max(); true if all are done. Needs no interpreter lock. Two calls may run at the same time on
// different memory. times: of the plan's steps, if somebody wants to know.
bool execute(const Plan& plan, std::byte* const* slots, std::size_t& next, std::chrono::steady_clock::time_point until,
             StepTimes* times = nullptr);

// Does the step write over what it reads? Then it cannot be run again once it has begun. False behind the last step.
bool overwrites_operands(const Plan& plan, std::size_t step, std::byte* const* slots);

}  // namespace lamina::runtime

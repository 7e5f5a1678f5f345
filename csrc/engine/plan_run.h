// One run of a plan on its memory; what happens when memory runs out in the midst of it.
//
// A run that breaks off leaves results that have storages, but not their numbers. It is kept, and whoever looks at such
// a result runs the rest, from the step that failed. If that step had begun to write over what it reads, the numbers
// are lost, and every look says so. A run whose results nobody holds any more is forgotten. A run that takes very long
// pauses between steps in the same way, to let signals be handled: what a handler raises breaks it off.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "compile/plan_cache.h"
#include "engine/profile.h"
#include "graph/tape.h"
#include "support/storage.h"

namespace lamina::engine {

struct PlanMemory {
  StoragePtr arena;
  std::vector<StoragePtr> outputs;
  std::vector<ScalarBits> scalars;
  std::vector<std::byte*> slots;          // into all of these, and the inputs
  std::unique_ptr<RunRecorder> recorder;  // while a profile is on

  runtime::StepTimes* times() const { return recorder ? &recorder->times : nullptr; }
};

// The recording's values have their storages. dying: of its inputs, which the plan may have written over. Above an
// estimate of 20 µs the interpreter's lock is released meanwhile. If this raises, `memory` has been taken.
void run_plan(const CompiledPlanPtr& compiled, const Recording& recording, const Liveness::Flags& dying,
              PlanMemory& memory);

// Returns when the numbers are there: waits for another thread's plan, runs the rest of one that broke off. Raises what
// that raises.
void await_numbers(const Storage* storage);

}  // namespace lamina::engine

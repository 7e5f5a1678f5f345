// Running plans, and running the rest of those that broke off. Tests: tests/cpp/test_plan_run.cpp.
#include "engine/plan_run.h"

#include <algorithm>
#include <new>

#include "engine/running_plans.h"
#include "runtime/execute.h"
#include "support/check.h"

namespace lamina::engine {

namespace {

constexpr double kReleaseLockNanoseconds = 20e3;

// A run that broke off, and all that it needs to go on.
struct Unfinished {
  CompiledPlanPtr compiled;
  PlanMemory memory;
  std::vector<StoragePtr> inputs;
  std::vector<const Storage*> written;
  std::size_t next;  // step
  bool lost;

  bool writes(const Storage* storage) const {
    return std::find(written.begin(), written.end(), storage) != written.end();
  }
  bool is_held() const {
    return std::any_of(written.begin(), written.end(), [](const Storage* one) { return one->references > 1; });
  }
};

std::vector<Unfinished> g_unfinished;

void forget_unseen() {
  const auto forget = [](const Unfinished& run) {
    if (run.is_held()) return false;
    unmark_unfinished(run.written);
    return true;
  };
  while (std::erase_if(g_unfinished, forget) > 0) {  // one may be held by another that went
  }
}

// What the plan fills: its outputs, and inputs that died. A result may also be another look at an input that lives on.
std::vector<const Storage*> written_by(const CompiledPlan& compiled, const Recording& recording,
                                       const Liveness::Flags& dying, const PlanMemory& memory) {
  std::vector<const Storage*> written;
  for (const StoragePtr& output : memory.outputs) written.push_back(output.get());
  for (const Program::Result& result : compiled.results) {
    std::uint32_t input = result.memory - compiled.plan.first_input();
    if (result.memory < compiled.plan.first_output() && dying[input])
      written.push_back(recording.inputs[input]->storage);
  }
  return written;
}

bool takes_long(const Plan& plan) { return can_release_lock() && plan.estimated_nanoseconds > kReleaseLockNanoseconds; }

// Marked before the lock is there to be had, so that nobody takes the results for complete.
void execute_marking(const Plan& plan, const PlanMemory& memory, const std::vector<const Storage*>& written,
                     std::size_t& next) {
  RunningPlan running(written);
  try {
    runtime::execute(plan, memory.slots.data(), next);
  } catch (...) {
    mark_unfinished(written);
    throw;
  }
  unmark_unfinished(written);
}

void finish_writer_of(const Storage* storage) {
  auto found = std::find_if(g_unfinished.begin(), g_unfinished.end(),
                            [storage](const Unfinished& run) { return run.writes(storage); });
  if (found == g_unfinished.end()) throw std::bad_alloc();  // its thread is about to tell its own caller
  check(!found->lost, "these numbers are lost: memory ran out while they were being written over the old ones");
  Unfinished run = std::move(*found);
  g_unfinished.erase(found);
  bool started = false;
  try {
    for (const StoragePtr& input : run.inputs)
      if (!run.writes(input.get())) await_numbers(input.get());
    started = true;
    execute_marking(run.compiled->plan, run.memory, run.written, run.next);
  } catch (...) {
    if (started) run.lost = runtime::overwrites_operands(run.compiled->plan, run.next, run.memory.slots.data());
    g_unfinished.push_back(std::move(run));
    throw;
  }
}

}  // namespace

void run_plan(const CompiledPlanPtr& compiled, const Recording& recording, const Liveness::Flags& dying,
              PlanMemory& memory) {
  if (!g_unfinished.empty()) forget_unseen();
  const Plan& plan = compiled->plan;
  std::size_t next = 0;
  const auto keep_rest = [&](bool begun) {
    Unfinished run{compiled, std::move(memory), {}, {}, next, false};
    run.written = written_by(*compiled, recording, dying, run.memory);
    run.lost = begun && runtime::overwrites_operands(plan, next, run.memory.slots.data());
    for (const ValuePtr& input : recording.inputs) run.inputs.push_back(StoragePtr(input->storage));
    mark_unfinished(run.written);
    g_unfinished.push_back(std::move(run));
  };
  bool ready = true;
  for (const ValuePtr& input : recording.inputs) ready &= wait_until_written(input->storage);
  if (!ready) {  // an input is of a plan that broke off: this one goes on with it
    keep_rest(false);
    for (const Storage* storage : std::vector(g_unfinished.back().written)) await_numbers(storage);
    return;
  }
  try {
    if (!takes_long(plan)) return runtime::execute(plan, memory.slots.data(), next);
    execute_marking(plan, memory, written_by(*compiled, recording, dying, memory), next);
  } catch (...) {
    keep_rest(true);
    throw;
  }
}

void await_numbers(const Storage* storage) {
  while (!wait_until_written(storage)) finish_writer_of(storage);
}

}  // namespace lamina::engine

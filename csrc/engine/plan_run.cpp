// Running plans, and running the rest of those that broke off. Tests: tests/cpp/test_plan_run.cpp.
#include "engine/plan_run.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>

#include "engine/running_plans.h"
#include "runtime/execute.h"
#include "support/check.h"

namespace lamina::engine {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kReleaseLockNanoseconds = 20e3;
constexpr Clock::time_point kNever = Clock::time_point::max();
constexpr std::chrono::milliseconds kTurn{100};  // a user who wants to interrupt a run does not wait longer than a step

// A run that broke off or pauses, and all that it needs to go on. Whoever is at it shares it.
struct Unfinished {
  CompiledPlanPtr compiled;
  PlanMemory memory;
  std::vector<StoragePtr> inputs;  // complete once the first step has run
  std::vector<const Storage*> written;
  std::size_t next = 0;  // step
  bool lost = false;

  Unfinished(CompiledPlanPtr plan, PlanMemory its) : compiled(std::move(plan)), memory(std::move(its)) {}

  bool writes(const Storage* storage) const {
    return std::find(written.begin(), written.end(), storage) != written.end();
  }
  bool is_held() const {
    return std::any_of(written.begin(), written.end(), [](const Storage* one) { return one->references > 1; });
  }
};

using UnfinishedPtr = std::shared_ptr<Unfinished>;

std::vector<UnfinishedPtr> g_unfinished;

void forget_unseen() {
  const auto forget = [](const UnfinishedPtr& run) {
    if (run.use_count() > 1 || run->is_held()) return false;
    unmark_unfinished(run->written);
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

// While the lock is released, another thread may give a value other memory (move_memory).
std::vector<StoragePtr> memory_of_inputs(const Recording& recording) {
  std::vector<StoragePtr> memory;
  memory.reserve(recording.inputs.size());
  for (const ValuePtr& input : recording.inputs) memory.emplace_back(input->storage);
  return memory;
}

bool takes_long(const Plan& plan) { return can_release_lock() && plan.estimated_nanoseconds > kReleaseLockNanoseconds; }
bool takes_turns(const Plan& plan) {
  return can_release_lock() && plan.estimated_nanoseconds > std::chrono::nanoseconds(kTurn).count();
}

// Marked before the lock is there to be had, so that nobody takes the results for complete.
void execute_marking(const Plan& plan, const PlanMemory& memory, const std::vector<const Storage*>& written,
                     std::size_t& next) {
  RunningPlan running(written);
  try {
    runtime::execute(plan, memory.slots.data(), next, kNever, memory.times());
  } catch (...) {
    mark_unfinished(written);
    throw;
  }
}

// A part of a run that is known to be unfinished. What others need to know is noted before the lock is there to be had.
bool take_turn(Unfinished& run) {
  const Plan& plan = run.compiled->plan;
  auto until = takes_turns(plan) ? Clock::now() + kTurn : kNever;
  RunningPlan running(run.written);
  try {
    if (!runtime::execute(plan, run.memory.slots.data(), run.next, until, run.memory.times())) return false;
  } catch (...) {
    run.lost = runtime::overwrites_operands(plan, run.next, run.memory.slots.data());
    throw;
  }
  unmark_unfinished(run.written);
  return true;
}

// A turn of the run that writes there: all of it, or what can be done until it is time to look at signals. Between
// turns anyone may go on with it: other threads, the handlers of signals, forked children.
void go_on_writing(const Storage* storage) {
  auto found = std::find_if(g_unfinished.begin(), g_unfinished.end(),
                            [storage](const UnfinishedPtr& run) { return run->writes(storage); });
  if (found == g_unfinished.end()) throw std::bad_alloc();  // its thread is about to tell its own caller
  UnfinishedPtr run = *found;
  if (run->next == 0) {
    for (const StoragePtr& input : run->inputs)
      if (!run->writes(input.get())) await_numbers(input.get());
    if (wait_until_written(storage)) return;  // another thread was quicker
  }
  check(!run->lost, "these numbers are lost: memory ran out while they were being written over the old ones");
  if (take_turn(*run))
    std::erase(g_unfinished, run);
  else
    heed_signals();
}

}  // namespace

void run_plan(const CompiledPlanPtr& compiled, const Recording& recording, const Liveness::Flags& dying,
              PlanMemory& memory) {
  if (!g_unfinished.empty()) forget_unseen();
  const Plan& plan = compiled->plan;
  const bool long_one = takes_long(plan);
  std::vector<StoragePtr> inputs;
  if (long_one) inputs = memory_of_inputs(recording);
  std::size_t next = 0;
  const auto keep_rest = [&](bool begun) -> const Unfinished& {
    auto run = std::make_shared<Unfinished>(compiled, std::move(memory));
    run->written = written_by(*compiled, recording, dying, run->memory);
    run->next = next;
    run->lost = begun && runtime::overwrites_operands(plan, next, run->memory.slots.data());
    run->inputs = long_one ? std::move(inputs) : memory_of_inputs(recording);
    mark_unfinished(run->written);
    return *g_unfinished.emplace_back(std::move(run));
  };
  bool ready = true;
  for (const ValuePtr& input : recording.inputs) ready &= wait_until_written(input->storage);
  if (!ready || takes_turns(plan)) {  // an input may be of a run that broke off: this one goes on with it
    for (const Storage* storage : std::vector(keep_rest(false).written)) await_numbers(storage);
    return;
  }
  try {
    if (long_one)
      execute_marking(plan, memory, written_by(*compiled, recording, dying, memory), next);
    else
      runtime::execute(plan, memory.slots.data(), next, kNever, memory.times());
  } catch (...) {
    keep_rest(true);
    throw;
  }
}

void await_numbers(const Storage* storage) {
  while (!wait_until_written(storage)) go_on_writing(storage);
}

}  // namespace lamina::engine

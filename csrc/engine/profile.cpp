// Tests: tests/python/test_profiler.py.
#include "engine/profile.h"

#include <algorithm>
#include <atomic>

#include "graph/scope.h"
#include "support/check.h"

namespace lamina::engine {

namespace {

// Of the recording's values, with paths for what an optimizer recorded.
std::vector<std::uint32_t> find_scopes(const Program& program, const Recording& recording) {
  std::vector<std::uint32_t> paths(program.nodes.size()), scopes(recording.values.size());
  const auto updates = [&](const Node& node) {
    return node.kind == Node::Kind::kOp && phase_of(recording.values[node.slot].scope) == Phase::kUpdate;
  };
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const Node& node = program.nodes[i];
    if (node.kind == Node::Kind::kInput) paths[i] = path_of(recording.inputs[node.slot]->scope);
    if (node.kind == Node::Kind::kOp) paths[i] = path_of(recording.values[node.slot].scope);
    for (std::uint32_t operand : node.operands)
      if (paths[i] == 0) paths[i] = paths[operand];
  }
  for (std::size_t i = paths.size(); i-- > 0;) {  // what only updates read, as a decayed parameter
    if (!updates(program.nodes[i])) continue;
    for (std::uint32_t operand : program.nodes[i].operands)
      if (paths[operand] == 0 && updates(program.nodes[operand])) paths[operand] = paths[i];
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const Node& node = program.nodes[i];
    if (node.kind != Node::Kind::kOp) continue;
    const std::uint32_t scope = recording.values[node.slot].scope;
    scopes[node.slot] = updates(node) ? in_phase(paths[i], Phase::kUpdate) : scope;
  }
  return scopes;
}

}  // namespace

void start_profile() {
  check(!profiling(), "a profile is on already: there is one at a time, of all threads");
  g_profile = std::make_shared<Profile>();
  g_calls = &g_profile->calls_;
}

std::shared_ptr<const Profile> stop_profile() {
  check(profiling(), "no profile is on");
  g_calls = nullptr;
  return std::exchange(g_profile, nullptr);
}

void keep_result(const ValuePtr& value) {
  if (Tape::main().is_pending(value.get())) g_profile->results_.push_back(value);
}

std::vector<ValuePtr> take_dropped(const Tape& tape) {
  std::vector<ValuePtr> dropped = std::exchange(g_profile->results_, {});
  const Recording& recording = tape.recording();
  std::erase_if(dropped,
                [&tape](const ValuePtr& value) { return !tape.is_pending(value.get()) || value->references > 1; });
  if (dropped.empty()) return dropped;
  std::vector<bool> read(recording.values.size());
  const Program program =
      read_trace(recording.trace, {Liveness::Flags(recording.values.size()), Liveness::Flags(recording.inputs.size())});
  for (const Node& node : program.nodes)
    for (std::uint32_t operand : node.operands)
      if (program[operand].kind == Node::Kind::kOp) read[program[operand].slot] = true;
  std::erase_if(dropped, [&read](const ValuePtr& value) { return read[value->slot]; });
  return dropped;
}

std::uint32_t thread_number() {
  static std::atomic<std::uint32_t> threads{0};
  thread_local const std::uint32_t number = ++threads;
  return number;
}

RunRecorder::RunRecorder(std::int64_t flush) : profile_(g_profile), plans_(plan_cache_stats().compiled) {
  run_.thread = thread_number();
  run_.flush = flush;
  run_.began = runtime::StepTimes::now();
}

void RunRecorder::note_plan(const CompiledPlanPtr& compiled, const Recording& recording, const Liveness& liveness) {
  run_.planned = runtime::StepTimes::now();
  run_.compiles = plan_cache_stats().compiled > plans_;
  const PlanAccount& account = account_of(*compiled, recording.trace, liveness);
  auto& programs = profile_->programs_;
  Profile::Key key{compiled.get(), find_scopes(account.program, recording)};
  const auto next = static_cast<std::uint32_t>(programs.size());
  const auto [found, fresh] = profile_->numbers_.try_emplace(std::move(key), next);
  if (fresh) programs.push_back({compiled, found->first.second});
  run_.program = found->second;
  times = runtime::StepTimes(compiled->plan.steps.size());
  run_.accounted = runtime::StepTimes::now();
}

RunRecorder::~RunRecorder() {
  if (run_.accounted == 0) return;  // there was no plan
  run_.steps = times.spans();
  if (run_.ended == 0) {
    run_.ended = run_.accounted;
    for (const auto& step : run_.steps) run_.ended = std::max(run_.ended, step.began + step.took);
  }
  profile_->runs_.push_back(std::move(run_));
}

}  // namespace lamina::engine

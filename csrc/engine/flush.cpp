// Running what has been recorded: liveness, the plan, memory, execution, and letting go of what is done.
#include "engine/flush.h"

#include <bit>
#include <cstring>
#include <memory>
#include <span>

#include "engine/plan_run.h"
#include "graph/scope.h"
#include "graph/tape.h"
#include "ops/meta.h"
#include "ops/record.h"
#include "runtime/buffer.h"
#include "support/check.h"
#include "support/half.h"

namespace lamina::engine {

namespace {

constexpr std::size_t kMostPending = 1 << 15;          // values
constexpr std::int64_t kMostPendingBytes = 1ll << 30;  // of their results, were all kept
constexpr std::size_t kFewPending = 32;                // may wait whatever their bytes: each is a pass over memory less

bool budget_is_used_up(const Recording& pending) {
  const std::size_t count = pending.values.size();
  return count >= kMostPending || (count >= kFewPending && pending.bytes >= kMostPendingBytes);
}

std::int64_t g_flushes = 0;

// What a flush works on; kept for the next one, for its vectors.
struct Work {
  Recording recording;
  PlanMemory memory;
  Liveness::Flags dying;
};
std::unique_ptr<Work> g_spare;

// Does it remember what it was made of when it has numbers?
bool has_history(const Value* value) { return value->requires_grad() && !value->leaf && !value->has(kHistoryFreed); }

// Walks over all values ask for those a few places on: a deep net's are not in the caches.
constexpr std::size_t kAhead = 8;
void ask_for(const Value* value) {
  if (!value) return;
  __builtin_prefetch(value);
  __builtin_prefetch(value->inputs);
}

struct Uses {
  std::vector<std::uint32_t> of_values, of_inputs;
  Liveness::Flags in_graph;
  Liveness liveness;
  std::vector<Value*> holders;  // what holds operands for no longer than it is pending
};

// Live: held by others than values of the tape, or read by the gradient of something that is. The result is the next
// call's.
const Uses& find_uses(const Tape& tape) {
  static auto& work = *new Uses;
  Liveness& liveness = work.liveness;
  std::span<const Recording::Pending> values = tape.recording().values;
  std::span<const ValuePtr> inputs = tape.recording().inputs;
  std::size_t count = values.size();
  work.holders.clear();
  work.of_values.assign(count, 0);
  work.of_inputs.assign(inputs.size(), 0);
  liveness.live.assign(count, false);
  work.in_graph.assign(count, false);
  liveness.dying.resize(inputs.size());
  std::uint32_t *uses = work.of_values.data(), *input_uses = work.of_inputs.data(), epoch = tape.epoch();
  std::uint8_t *live = liveness.live.data(), *in_graph = work.in_graph.data();
  for (std::size_t i = 0; i < count; ++i) {
    Value* value = values[i].value;
    if (i + kAhead < count) ask_for(values[i + kAhead].value);
    if (!value || value->input_count == 0) continue;
    bool lets_go = !has_history(value);
    if (lets_go && !keeps_base(value)) work.holders.push_back(value);
    for (Value* operand : value->operands()) {
      if (!operand || operand->epoch != epoch) continue;
      if (!operand->storage && operand->op >= kFirstOp)
        ++uses[operand->slot];
      else if (operand->op != kScalar && lets_go)
        ++input_uses[operand->slot];
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Value* input = inputs[i].get();
    const Storage* storage = input->storage;
    liveness.dying[i] = input->references == 1 + input_uses[i] && !input->layout.strides && input->layout.offset == 0 &&
                        storage && storage->references == 1 && !storage->exposed() && !storage->read_only;
  }
  for (std::size_t i = count; i-- > 0;) {
    const Value* value = values[i].value;
    if (i >= kAhead) ask_for(values[i - kAhead].value);
    if (!value) continue;
    if (value->references > uses[i]) live[i] = in_graph[i] = true;
    if (!in_graph[i] || !has_history(value)) continue;
    const OpRow& entry = row(value->op);
    unsigned reads = 0;
    for (std::size_t k = 0; k < value->input_count; ++k) {
      Value* operand = value->inputs[k];
      if (!operand->requires_grad()) continue;
      reads |= entry.reads[k < 3 ? k : 2];
      if (tape.is_pending(operand)) in_graph[operand->slot] = true;
    }
    if (reads & kReadsResult) live[i] = true;
    for (std::size_t k = 0; k < value->input_count && k < 3; ++k)
      if (reads >> k & 1 && tape.is_pending(value->inputs[k])) live[value->inputs[k]->slot] = true;
  }
  return work;
}

// A scalar as the kernels read it.
void store_scalar(std::byte* to, const Value* scalar) {
  double number;
  std::memcpy(&number, &scalar->scalar.low, sizeof number);
  auto narrow = static_cast<float>(number);
  switch (scalar->dtype) {
    case DType::kFloat32:
      std::memcpy(to, &narrow, sizeof narrow);
      break;
    case DType::kFloat16: {
      Half half;
      from_float(narrow, half);
      std::memcpy(to, &half, sizeof half);
      break;
    }
    case DType::kBFloat16: {
      BFloat16 half;
      from_float(narrow, half);
      std::memcpy(to, &half, sizeof half);
      break;
    }
    case DType::kComplex32: {
      Half parts[2];
      from_float(narrow, parts[0]);
      from_float(static_cast<float>(std::bit_cast<double>(scalar->scalar.high)), parts[1]);
      std::memcpy(to, parts, sizeof parts);
      break;
    }
    case DType::kComplex64: {
      const auto imaginary = std::bit_cast<double>(scalar->scalar.high);
      const float parts[] = {narrow, static_cast<float>(imaginary)};
      std::memcpy(to, parts, sizeof parts);
      break;
    }
    default:  // little-endian integers, doubles and seeds are their own leading bytes
      std::memcpy(to, &scalar->scalar, sizeof scalar->scalar);
  }
}

// Raises std::bad_alloc before anything of the recording has changed.
void prepare(PlanMemory& memory, const Plan& plan, const Recording& recording) {
  memory.slots.clear();
  memory.slots.reserve(plan.slots());
  if (plan.arena_bytes) memory.arena = runtime::allocate(plan.arena_bytes);
  memory.slots.push_back(memory.arena ? static_cast<std::byte*>(memory.arena->data) : nullptr);
  for (const ValuePtr& input : recording.inputs) memory.slots.push_back(data_of(input.get()));
  memory.scalars.resize(recording.scalars.size());
  for (std::size_t i = 0; i < memory.scalars.size(); ++i) {
    auto* place = reinterpret_cast<std::byte*>(&memory.scalars[i]);
    store_scalar(place, recording.scalars[i].get());
    memory.slots.push_back(place);
  }
  for (std::size_t bytes : plan.output_bytes) {
    memory.outputs.push_back(runtime::allocate(bytes));
    memory.slots.push_back(static_cast<std::byte*>(memory.outputs.back()->data));
  }
}

void bind_results(const CompiledPlan& compiled, const Recording& recording, const PlanMemory& memory) {
  const Plan& plan = compiled.plan;
  for (const Program::Result& result : compiled.results) {
    Value* value = recording.values[result.value].value;
    if (result.memory >= plan.first_output()) {
      attach_storage(value, memory.outputs[result.memory - plan.first_output()], result.layout);
    } else {
      const Value* input = recording.inputs[result.memory - plan.first_input()].get();
      Layout layout{result.layout.offset + input->layout.offset, result.layout.strides};
      forget_rearranged(input->storage);  // the plan may write there
      attach_storage(value, StoragePtr(input->storage), layout);
    }
  }
}

// The error with the largest result, of equal ones that which is no view of the others. It may be smaller than what was
// asked for: nobody holds what it is made of.
[[noreturn]] void fail_naming_largest(const runtime::OutOfMemory& error, const Recording& recording) {
  const Value* largest = nullptr;
  std::size_t most = 0;
  for (const Recording::Pending& pending : recording.values) {
    const Value* value = pending.value;
    if (!value || value->op < kFirstOp) continue;
    const std::size_t bytes = static_cast<std::size_t>(value->shape->numel()) * size_of(value->dtype);
    if (largest && (bytes < most || (bytes == most && (is_view(value) || !is_view(largest))))) continue;
    largest = value;
    most = bytes;
  }
  if (!largest) throw error;
  throw runtime::OutOfMemory(
      error.bytes(), text(error.what(), most < error.bytes() / 2 ? " on the way to the result of " : ": the result of ",
                          row(largest->op).name, ", ", name_of(largest->dtype), " of shape ",
                          to_string(largest->shape->dims(), '[', ']')));
}

[[noreturn]] void fail_shape_only() {
  std::string path = scope_path(current_scope());
  fail(ErrorKind::kRuntime, "a number was asked for while only shapes are known",
       path.empty() ? "" : " (in " + path + ")",
       ": this forward looks at data (bool(), item(), print, an index). Call the module once on real data instead.");
}

[[noreturn]] void fail_per_example() {
  std::string path = scope_path(current_scope());
  fail(ErrorKind::kRuntime,
       "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow, or calling .item() "
       "on it",
       path.empty() ? "" : " (in " + path + ")",
       ". The function is recorded once, for an example that has no numbers. We don't support that yet; use "
       "lamina.where, or do it outside of vmap.");
}

}  // namespace

void flush() {
  Tape& tape = Tape::current();
  const Recording& pending = tape.recording();
  take_run_at_once();
  if (pending.values.empty()) return;
  if (pending.has_placeholder) fail_shape_only();
  std::unique_ptr<RunRecorder> recorder;
  std::vector<ValuePtr> dropped;
  if (profiling()) [[unlikely]] {
    recorder = std::make_unique<RunRecorder>(g_flushes);
    dropped = take_dropped(tape);
  }
  // Held, for the cache may change while the lock is released.
  const Uses& uses = find_uses(tape);
  CompiledPlanPtr compiled = find_or_compile(pending.trace, pending.hash, uses.liveness);
  if (recorder) recorder->note_plan(compiled, pending, uses.liveness);
  // This run's own: another thread may flush while the lock is released.
  std::unique_ptr<Work> work = g_spare ? std::move(g_spare) : std::make_unique<Work>();
  Recording& recording = work->recording;
  PlanMemory& memory = work->memory;
  try {
    prepare(memory, compiled->plan, pending);
  } catch (const runtime::OutOfMemory& error) {
    fail_naming_largest(error, pending);
  }
  memory.recorder = std::move(recorder);
  work->dying = uses.liveness.dying;
  std::vector<ValuePtr> holders(uses.holders.begin(), uses.holders.end());
  tape.take(recording);
  bind_results(*compiled, recording, memory);
  ++g_flushes;
  run_plan(compiled, recording, work->dying, memory);
  for (const ValuePtr& holder : holders) drop_inputs(holder.get());
  recording.clear();
  memory.arena.reset();
  memory.outputs.clear();
  if (memory.recorder) memory.recorder->note_end();
  memory.recorder.reset();
  g_spare = std::move(work);
}

void flush_if_due() {
  const Recording& pending = Tape::current().recording();
  if (pending.has_placeholder) return;
  if (budget_is_used_up(pending) || take_run_at_once()) flush();
}

void realize(Value* value) {
  const ValuePtr held(value);  // another thread may give its tensor another one meanwhile
  if (!value->storage) {
    if (value->has(kPerExample)) fail_per_example();
    if (value->has(kMeta)) fail_no_data();
    if (value->op == kPlaceholder) fail_shape_only();
    if (value->op == kScalar) {
      StoragePtr storage = runtime::allocate(sizeof(ScalarBits));
      store_scalar(static_cast<std::byte*>(storage->data), value);
      attach_storage(value, std::move(storage));
      return;
    }
    if (Tape::current().recording().has_placeholder) fail_shape_only();
    flush();
    check(value->storage, "this tensor has no numbers: it was made in a shape-only run, which has ended (shape ",
          to_string(value->shape->dims()), ")");
  }
  await_numbers(value->storage);  // another thread's plan may be at it
}

std::byte* data_of(const Value* value) {
  return static_cast<std::byte*>(value->storage->data) +
         value->layout.offset * static_cast<std::int64_t>(size_of(value->dtype));
}

namespace {

CompileReport compile_pending(const Tape& tape) {
  const Recording& pending = tape.recording();
  CompileReport report;
  report.module_of = [&pending](std::uint32_t value) { return scope_path(pending.values[value].scope); };
  compile(pending.trace, find_uses(tape).liveness, &report);
  return report;
}

}  // namespace

std::string describe_pending() {
  Tape& tape = Tape::current();
  const Recording& pending = tape.recording();
  if (pending.values.empty()) return "nothing is pending\n";
  CompileReport report = compile_pending(tape);
  return report.explanation + "\n" + report.passes;
}

std::string explain_pending() {
  Tape& tape = Tape::current();
  if (tape.recording().values.empty()) return "nothing is pending\n";
  return compile_pending(tape).explanation;
}

void find_pending_plan(bool anew) {
  Tape& tape = Tape::current();
  const Recording& pending = tape.recording();
  if (anew)
    compile(pending.trace, find_uses(tape).liveness);
  else
    find_or_compile(pending.trace, pending.hash, find_uses(tape).liveness);
}

std::int64_t flush_count() { return g_flushes; }

}  // namespace lamina::engine

// Recording one op.
#include "ops/record.h"

#include <algorithm>
#include <bit>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/scope.h"
#include "graph/tape.h"
#include "ops/complex.h"
#include "ops/memory_order.h"
#include "ops/meta.h"
#include "ops/view_layout.h"
#include "support/check.h"

namespace lamina {

namespace {

// Every op reads them. A few bytes of the space that the loader keeps for thread-local variables of libraries loaded
// late make that one instruction instead of a call.
__attribute__((tls_model("initial-exec"))) thread_local bool t_grad = true;
__attribute__((tls_model("initial-exec"))) thread_local bool t_inference = false;
bool g_run_at_once = false;
void (*g_observer)(Value*) = nullptr;
void (*g_dual_recorder)(Value*, std::span<Value* const>) = nullptr;
bool g_observed = false;  // by one of the two

std::vector<const char*>& labels() {
  static auto* all = new std::vector<const char*>(1, nullptr);
  return *all;
}

// What inference mode made has no version counter, so that no gradient that is wanted may read it.
void check_not_inference(const OpRow& entry, std::span<Value* const> inputs) {
  std::uint8_t reads = 0;
  for (std::size_t i = 0; i < inputs.size() && i < 3; ++i)
    if (inputs[i]->requires_grad()) reads |= entry.reads[i];
  for (std::size_t i = 0; i < inputs.size() && i < 3; ++i)
    check(!(reads >> i & 1 && inputs[i]->has(kInferenceMade)) || t_inference,
          "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor "
          "and use it in autograd.");
}

// -0 is not 0 here: x - 0 is x, but x - -0 is not.
std::uint8_t facts_of(Op op, std::span<Value* const> inputs) {
  constexpr std::uint64_t kOneBits = std::bit_cast<std::uint64_t>(1.0);
  auto is = [&](std::size_t i, bool one) {
    const Value* x = inputs[i];
    if (x->op != kScalar || x->scalar.high != 0) return false;
    if (is_complex(x->dtype)) return false;
    return x->scalar.low == (!one ? 0 : is_floating(x->dtype) ? kOneBits : 1);
  };
  switch (op) {
    case Op::mul:
      return static_cast<std::uint8_t>((is(0, true) ? kFirstIsOne : 0) | (is(1, true) ? kSecondIsOne : 0));
    case Op::div:
      return is(1, true) ? kSecondIsOne : 0;
    case Op::sub:
      return is(1, false) ? kSecondIsZero : 0;
    case Op::expand:
      return is(0, true) ? kAllOnes : 0;
    default:
      return 0;
  }
}

// Does the op only move elements, whatever they are?
bool only_moves(Op op, const Attribute* attribute) {
  switch (row(op).kernel.family) {
    case Family::kCast:
    case Family::kView:
    case Family::kRebase:
    case Family::kCopy:
    case Family::kSliceUpdate:
    case Family::kCat:
    case Family::kGather:
    case Family::kScatter:
    case Family::kTakeRows:
      return true;
    case Family::kPutRows:
      return (*attribute)[0] == 0;
    case Family::kExtend:
      return op == Op::extend;
    default:
      return false;
  }
}

// A Python number beside a half-precision tensor is not rounded first, as in PyTorch; comparisons and others round it.
bool keeps_digits(Op op) { return op == Op::add || op == Op::sub || op == Op::mul || op == Op::div; }

// Operands of a narrow type are computed with in its wide type, and the result is rounded once.
ValuePtr record_wide(Op op, std::span<Value* const> inputs, const Shape* shape, DType dtype,
                     const Attribute* attribute) {
  std::vector<ValuePtr> kept;
  std::vector<Value*> operands;
  for (Value* input : inputs) {
    if (!is_narrow(input->dtype))
      kept.push_back(ValuePtr(input));
    else if (input->op == kScalar && keeps_digits(op))
      kept.push_back(make_scalar(input->scalar, wide(input->dtype)));
    else
      kept.push_back(record(Op::cast, {input}, input->shape, wide(input->dtype)));
    operands.push_back(kept.back().get());
  }
  ValuePtr result = record(op, operands, shape, wide(dtype), attribute);
  if (!is_narrow(dtype)) return result;
  result = record(Op::cast, {result.get()}, shape, dtype);
  if (result->requires_grad()) set_label(result.get(), row(op).label);
  return result;
}

}  // namespace

bool grad_enabled() { return t_grad; }
void set_grad_enabled(bool enabled) { t_grad = enabled; }
bool inference_mode() { return t_inference; }
void set_inference_mode(bool enabled) { t_inference = enabled; }

void set_record_observer(void (*observer)(Value*)) {
  g_observer = observer;
  g_observed = g_observer || g_dual_recorder;
}
void set_dual_recorder(void (*recorder)(Value*, std::span<Value* const>)) {
  g_dual_recorder = recorder;
  g_observed = g_observer || g_dual_recorder;
}
bool take_run_at_once() { return std::exchange(g_run_at_once, false); }

namespace {

// Is it of interest what the value was made of, even if nobody may ask for its gradient? Views follow their base,
// rebased values belong to a function, and the gradient of log_softmax knows that of a loss when it sees it.
bool is_looked_into(Family family) {
  return family == Family::kView || family == Family::kRebase || family == Family::kScatterAdd;
}

ValuePtr record_unobserved(Op op, std::span<Value* const> inputs, const Shape* shape, DType dtype,
                           const Attribute* attribute) {
  const OpRow& entry = row(op);
  unsigned flags = 0;
  bool exposed = false, composed = is_composed(dtype);
  for (Value* input : inputs) {
    flags |= input->flags;
    composed |= is_composed(input->dtype);
    exposed |= input->storage && input->storage->exposed();
  }
  if (composed) [[unlikely]] {
    bool with_complex = is_complex(dtype) || std::ranges::any_of(inputs, [](Value* x) { return is_complex(x->dtype); });
    bool reads_any = only_moves(op, attribute) || entry.kernel.family == Family::kFourier;
    if (!reads_any || (with_complex && op == Op::cast))
      return (with_complex ? record_complex : record_wide)(op, inputs, shape, dtype, attribute);
  }
  bool differentiated = t_grad && (flags & kRequiresGrad);
  if (differentiated && (flags & kInferenceMade)) [[unlikely]]
    check_not_inference(entry, inputs);
  // A view is of inference mode if what it shows is, and has no history then.
  bool shows = entry.kernel.family == Family::kView && inputs[0]->op != kScalar;
  bool inference = shows ? inputs[0]->has(kInferenceMade) : t_inference;
  bool history = differentiated && !(shows && inference) && entry.gradient && is_differentiable(dtype);
  bool holds = history || is_looked_into(entry.kernel.family) || (flags & (kPerExample | kDual));
  ValuePtr value =
      make_value(static_cast<OpId>(op), holds ? inputs : std::span<Value* const>(), shape, dtype, attribute);
  value->scope = current_scope();
  value->flags = static_cast<std::uint16_t>((inference ? kInferenceMade : 0) | (history ? kRequiresGrad : 0));
  if (flags & kReordered) [[unlikely]]
    hand_on_order(value.get(), inputs);
  if (flags & (kPerExample | kMeta)) [[unlikely]] {
    value->flags |= static_cast<std::uint16_t>(flags & kPerExample);
    if (flags & kMeta) put_on_meta(value.get(), inputs);
    return value;
  }
  if (entry.kernel.family == Family::kView && inputs[0]->storage) {
    if (auto layout = view_layout(op, attribute, inputs[0]->shape, inputs[0]->layout, shape)) {
      attach_storage(value.get(), StoragePtr(inputs[0]->storage), *layout);
      if (!value->requires_grad() && !keeps_base(value.get())) drop_inputs(value.get());
      return value;
    }
  }
  if (op == Op::rebase && inputs[0]->storage) {
    attach_storage(value.get(), StoragePtr(inputs[0]->storage), inputs[0]->layout);
    return value;
  }
  Tape::current().append(value.get(), inputs, facts_of(op, inputs));
  g_run_at_once |= exposed;
  return value;
}

void show(Value* value, std::span<Value* const> inputs) {
  if (g_observer && value->requires_grad()) g_observer(value);
  unsigned flags = 0;
  for (const Value* input : inputs) flags |= input->flags;
  if (g_dual_recorder && (flags & kDual)) g_dual_recorder(value, inputs);
}

}  // namespace

ValuePtr record(Op op, std::span<Value* const> inputs, const Shape* shape, DType dtype, const Attribute* attribute) {
  ValuePtr value = record_unobserved(op, inputs, shape, dtype, attribute);
  if (g_observed) [[unlikely]]
    show(value.get(), inputs);
  return value;
}

void set_label(Value* value, const char* label) {
  static auto* ids = new std::unordered_map<const char*, std::uint16_t>;
  auto [entry, fresh] = ids->try_emplace(label, static_cast<std::uint16_t>(labels().size()));
  if (fresh) labels().push_back(label);
  value->label = entry->second;
}

std::string grad_fn_name(const Value* value) {
  if (value->leaf) return "AccumulateGrad";
  std::string label = value->label ? labels()[value->label] : value->op >= kFirstOp ? row(value->op).label : "Leaf";
  std::size_t at = label.find('@');
  return label.substr(0, at) + "Backward" + (at == std::string::npos ? "0" : label.substr(at + 1));
}

}  // namespace lamina

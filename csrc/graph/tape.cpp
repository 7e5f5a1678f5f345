// Recording on the tape, and the trace's encoding.
#include "graph/tape.h"

#include <utility>
#include <vector>

#include "support/check.h"

namespace lamina {

namespace {

std::uint32_t g_epoch = 0;

std::vector<Tape*>& tapes() {
  static auto* all = new std::vector<Tape*>;
  return *all;
}

std::uint64_t head(OpId op, DType dtype, std::uint64_t operands) {
  return op | static_cast<std::uint64_t>(dtype) << 16 | operands << 32;
}

// Even if somebody has looked at it, and it has a storage since.
bool is_scalar(const Value* value) { return value->op == kScalar; }
bool is_computed(const Value* value) { return !value->storage && value->op >= kFirstOp; }

// Of an operand that is on the tape.
std::uint32_t reference(const Value* operand) {
  OperandKind kind = is_scalar(operand)     ? OperandKind::kScalar
                     : is_computed(operand) ? OperandKind::kValue
                                            : OperandKind::kInput;
  return OperandRef{kind, operand->slot}.encode();
}

}  // namespace

void Recording::clear() {
  values.clear();
  inputs.clear();
  scalars.clear();
  trace.clear();
  hash = 0;
  bytes = 0;
  has_placeholder = false;
}

void Recording::swap(Recording& other) noexcept {
  values.swap(other.values);
  inputs.swap(other.inputs);
  scalars.swap(other.scalars);
  trace.swap(other.trace);
  std::swap(hash, other.hash);
  std::swap(bytes, other.bytes);
  std::swap(has_placeholder, other.has_placeholder);
}

Tape& Tape::main() {
  static auto* tape = new Tape;
  return *tape;
}

Tape& Tape::start() { return *(current_ = &main()); }

Tape::Tape() : epoch_(++g_epoch) { tapes().push_back(this); }
Tape::~Tape() { std::erase(tapes(), this); }

void Tape::forget_elsewhere(const Value* value) {
  for (Tape* tape : tapes())
    if (tape->epoch_ == value->epoch) tape->recording_.values[value->slot].value = nullptr;
}

void Tape::introduce(Value* operand) {
  bool scalar = is_scalar(operand);
  if (!scalar && is_computed(operand)) [[unlikely]]
    fail(ErrorKind::kRuntime, "this tensor has no numbers: it was made in a shape-only run, which has ended (shape ",
         to_string(operand->shape->dims()), ")");
  auto& list = scalar ? recording_.scalars : recording_.inputs;
  operand->epoch = epoch_;
  operand->slot = static_cast<std::uint32_t>(list.size());
  list.emplace_back(operand);
  if (scalar) {
    word(head(kScalar, operand->dtype, 0));
  } else {
    entry(head(kLeaf, operand->dtype, 0), reinterpret_cast<std::uintptr_t>(operand->shape),
          reinterpret_cast<std::uintptr_t>(operand->layout.strides));
    recording_.has_placeholder |= operand->op == kPlaceholder;
  }
}

void Tape::append(Value* value, std::span<Value* const> operands, std::uint8_t facts) {
  // Their own entries come before the op's.
  for (Value* operand : operands)
    if (operand->epoch != epoch_) introduce(operand);
  entry(head(value->op, value->dtype, operands.size()) | std::uint64_t{facts} << 24,
        reinterpret_cast<std::uintptr_t>(value->shape), reinterpret_cast<std::uintptr_t>(value->attribute));
  for (std::size_t i = 0; i < operands.size(); i += 2) {
    std::uint64_t second = i + 1 < operands.size() ? reference(operands[i + 1]) : 0;
    word(reference(operands[i]) | second << 32);
  }
  value->epoch = epoch_;
  value->slot = static_cast<std::uint32_t>(recording_.values.size());
  recording_.values.push_back({value, value->scope});
  recording_.bytes += value->shape->numel() * static_cast<std::int64_t>(size_of(value->dtype));
}

void Tape::take(Recording& recording) {
  epoch_ = ++g_epoch;
  recording_.swap(recording);
}

TapeGuard::TapeGuard(Tape& tape) : previous_(Tape::current_) { Tape::current_ = &tape; }
TapeGuard::~TapeGuard() { Tape::current_ = previous_; }

}  // namespace lamina

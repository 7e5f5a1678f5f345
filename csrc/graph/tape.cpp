// Recording on the tape, and the trace's encoding.
#include "graph/tape.h"

#include "support/check.h"

namespace lamina {

namespace {

std::uint32_t g_epoch = 0;

std::uint64_t head(OpId op, DType dtype, std::uint64_t operands) {
  return op | static_cast<std::uint64_t>(dtype) << 16 | operands << 32;
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

Tape& Tape::main() {
  static auto* tape = new Tape;
  return *tape;
}

Tape::Tape() : epoch_(++g_epoch) {}

std::uint32_t Tape::reference(Value* value) {
  bool scalar = value->op == kScalar && !value->storage;
  bool pending = !value->storage && value->op >= kFirstOp;
  OperandKind kind = scalar ? OperandKind::kScalar : pending ? OperandKind::kValue : OperandKind::kInput;
  if (value->epoch != epoch_) {
    if (pending) [[unlikely]]
      fail(ErrorKind::kRuntime, "this tensor has no numbers: it was made in a shape-only run, which has ended (shape ",
           to_string(value->shape->dims()), ")");
    auto& list = scalar ? recording_.scalars : recording_.inputs;
    value->epoch = epoch_;
    value->slot = static_cast<std::uint32_t>(list.size());
    list.emplace_back(value);
    if (scalar) {
      word(head(kScalar, value->dtype, 0));
    } else {
      entry(head(kLeaf, value->dtype, 0), reinterpret_cast<std::uintptr_t>(value->shape),
            reinterpret_cast<std::uintptr_t>(value->layout.strides));
      recording_.has_placeholder |= value->op == kPlaceholder;
    }
  }
  return OperandRef{kind, value->slot}.encode();
}

void Tape::append(Value* value, std::uint8_t facts) {
  std::uint64_t pair = 0;
  // Operands first: their own entries come before the op's.
  std::uint32_t first[4];
  std::size_t count = value->input_count;
  std::vector<std::uint32_t> more;
  std::uint32_t* references = first;
  if (count > 4) {
    more.resize(count);
    references = more.data();
  }
  for (std::size_t i = 0; i < count; ++i) references[i] = reference(value->inputs[i]);
  entry(head(value->op, value->dtype, count) | std::uint64_t{facts} << 24,
        reinterpret_cast<std::uintptr_t>(value->shape), reinterpret_cast<std::uintptr_t>(value->attribute));
  for (std::size_t i = 0; i < count; ++i) {
    pair |= static_cast<std::uint64_t>(references[i]) << (i % 2 ? 32 : 0);
    if (i % 2 || i + 1 == count) {
      word(pair);
      pair = 0;
    }
  }
  value->epoch = epoch_;
  value->slot = static_cast<std::uint32_t>(recording_.values.size());
  recording_.values.emplace_back(value);
  recording_.bytes += value->shape->numel() * static_cast<std::int64_t>(size_of(value->dtype));
}

Recording Tape::take(Recording spare) {
  epoch_ = ++g_epoch;
  std::swap(spare, recording_);
  return spare;
}

TapeGuard::TapeGuard(Tape& tape) : previous_(Tape::current_) { Tape::current_ = &tape; }
TapeGuard::~TapeGuard() { Tape::current_ = previous_; }

}  // namespace lamina

// Tape: the recorded, not yet executed values in creation order, with a compact trace of them hashed as it grows.
//
// The tape does not own them. A value that nobody else holds any more is freed, and its numbers are computed only if
// others come from them: the program stands in the trace.
//
// The trace describes the program up to renaming: ops, dtypes, shapes, attributes, and operands by position. Equal
// traces can share one plan. Storages, and the numbers of scalars, are not part of it.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/value.h"

namespace lamina {

// An operand in the trace: which list of the recording, and the position in it.
enum class OperandKind : std::uint32_t { kValue, kInput, kScalar };
struct OperandRef {
  OperandKind kind;
  std::uint32_t slot;

  std::uint32_t encode() const { return slot << 2 | static_cast<std::uint32_t>(kind); }
  static OperandRef decode(std::uint32_t code) { return {static_cast<OperandKind>(code & 3u), code >> 2}; }
};

// What a tape knows; taken out whole when it is executed.
struct Recording {
  struct Pending {
    Value* value;  // null: freed
    std::uint32_t scope;
  };
  std::vector<Pending> values;   // in creation order
  std::vector<ValuePtr> inputs;  // values with a storage that pending ones read
  std::vector<ValuePtr> scalars;
  // Per entry, in order of appearance: {op | dtype << 16 | facts << 24 | operand count << 32}, then for an op its
  // shape, attribute and operands (two to a word); for an input its shape and strides; for a scalar nothing more.
  std::vector<std::uint64_t> trace;
  std::uint64_t hash = 0;
  std::int64_t bytes = 0;  // of all pending results, were they all kept
  bool has_placeholder = false;

  void clear();
  void swap(Recording& other) noexcept;
};

class Tape {
 public:
  // The tape that is being recorded on.
  static Tape& current() { return current_ ? *current_ : start(); }
  // The one that runs; current() but in shape-only runs.
  static Tape& main();

  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // Appends a pending value; its operands are pending here, realized, scalars or placeholders. facts: what is to be
  // known of it beyond its op, for whoever reads the trace.
  void append(Value* value, std::span<Value* const> operands, std::uint8_t facts = 0);
  // A pending value of any tape is about to be freed.
  static void forget(const Value* value) {
    if (Tape& tape = current(); value->epoch == tape.epoch_)
      tape.recording_.values[value->slot].value = nullptr;
    else if (value->epoch != 0)
      forget_elsewhere(value);
  }
  const Recording& recording() const { return recording_; }
  bool is_pending(const Value* value) const {
    return value->epoch == epoch_ && !value->storage && value->op >= kFirstOp;
  }

  // Hands the recording over and starts an empty one, in the room of what `recording` was (cleared).
  void take(Recording& recording);
  // Is the value among the inputs or scalars, which the tape holds?
  bool lists(const Value* value) const { return value->epoch == epoch_ && !is_pending(value); }
  std::uint32_t epoch() const { return epoch_; }

 private:
  friend class TapeGuard;
  static Tape& start();
  static void forget_elsewhere(const Value* value);
  // Appends what an op reads to the inputs or scalars.
  void introduce(Value* operand);
  // An entry's words, of which the last ones may follow; mixed side by side, so that entries make a short chain.
  void entry(std::uint64_t head, std::uint64_t second, std::uint64_t third) {
    auto& trace = recording_.trace;
    trace.push_back(head);
    trace.push_back(second);
    trace.push_back(third);
    mix(head + second * 0xBF58476D1CE4E5B9ull + third * 0x94D049BB133111EBull);
  }
  void word(std::uint64_t bits) {
    recording_.trace.push_back(bits);
    mix(bits);
  }
  void mix(std::uint64_t bits) {
    std::uint64_t hash = (recording_.hash ^ bits) * 0x9E3779B97F4A7C15ull;
    recording_.hash = hash ^ hash >> 29;
  }

  static inline Tape* current_ = nullptr;  // null: nobody has asked for it yet

  Recording recording_;
  std::uint32_t epoch_;
};

// Records on `tape` instead, for as long as the object lives (shape-only runs).
class TapeGuard {
 public:
  explicit TapeGuard(Tape& tape);
  ~TapeGuard();
  TapeGuard(const TapeGuard&) = delete;
  TapeGuard& operator=(const TapeGuard&) = delete;

 private:
  Tape* previous_;
};

}  // namespace lamina

// The op table: one row an op, with its kernel, its gradient and what that reads.
#pragma once

#include <cstdint>

#include "graph/value.h"
#include "support/kernel_ids.h"

namespace lamina {

enum class Op : OpId {
  kBeforeFirst = kFirstOp - 1,
#define LAMINA_UNARY(name, ...) name,
#define LAMINA_FLAT(name, ...) name,
#define LAMINA_BINARY(name, ...) name,
#define LAMINA_PLAIN(name, ...) name,
#define LAMINA_OP(name, ...) name,
#define LAMINA_OP_PLAIN(name, ...) name,
#include "ops/op_list.inc"
  kEnd
};

// What runs an op; `member` of a Kernel picks among the family's kernels.
enum class Family : std::uint8_t {
  kElementwise,
  kCast,
  kReduce,
  kRowwise,
  kStandardize,
  kStandardizeInput,
  kScan,
  kArgsort,
  kSearch,
  kFourier,
  kMatmul,
  kSolveTriangle,
  kConvolution,
  kMaxPool,
  kWindowSums,
  kExtend,
  kView,
  kRebase,
  kCopy,
  kSliceUpdate,
  kCat,
  kGather,
  kScatter,
  kScatterAdd,
  kTakeRows,
  kPutRows,
  kWeighed,
  kRandom
};

struct Kernel {
  Family family;
  std::uint8_t member;
};

enum class Result : std::uint8_t { kSame, kBool };

// Bits of what a gradient reads.
enum Reads : std::uint8_t { kReadsNothing = 0, kReads0 = 1, kReads1 = 2, kReads2 = 4, kReadsResult = 8 };
inline constexpr std::size_t kResultPlace = 3;  // as a bit: kReadsResult

class Gradient;

struct OpRow {
  const char* name;
  const char* label;            // null: not differentiable
  void (*gradient)(Gradient&);  // null: not differentiable
  Kernel kernel;
  Result result;
  std::uint8_t arity;  // 0: any number
  std::uint8_t reads[3];
};

extern const OpRow kRows[];  // from kFirstOp on
inline const OpRow& row(Op op) { return kRows[static_cast<std::size_t>(op) - kFirstOp]; }
inline const OpRow& row(OpId op) { return row(static_cast<Op>(op)); }
inline Op op_of(const Value* value) { return static_cast<Op>(value->op); }
inline bool is_view(const Value* value) {
  return value->op >= kFirstOp && row(value->op).kernel.family == Family::kView;
}

// Does the value, once it has numbers, go on holding what it shows? A view does, to know when these are changed; but
// detach() must not keep a history alive.
inline bool keeps_base(const Value* value) {
  return is_view(value) && !(op_of(value) == Op::detach && value->inputs[0] && value->inputs[0]->requires_grad() &&
                             !value->inputs[0]->leaf);
}

}  // namespace lamina

// Program: the trace decoded into nodes, on which the passes work.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/tape.h"
#include "ops/table.h"
#include "plan/plan.h"

namespace lamina {

inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

// What a product does to each element of its result, in this order; nodes.
struct Epilogue {
  std::uint32_t bias = kNone, addend = kNone;
  bool relu = false;
  std::uint32_t mask = kNone;                // 0 where it is <= 0
  std::uint32_t base = kNone, rate = kNone;  // base - result * rate
  std::uint32_t updated = kNone;             // is a result, too
};

// What is done to the columns of rows that a step standardizes; of their gradient: to what comes back. Nodes.
struct Affine {
  std::uint32_t scale = kNone, shift = kNone;
  std::uint32_t scale_sums = kNone, shift_sums = kNone;  // results, too: the gradients of scale and shift
  std::uint32_t at = kNone;                              // where the gradient's step stands: the first of its results

  bool sums() const { return scale_sums != kNone || shift_sums != kNone; }
};

struct Node {
  enum class Kind : std::uint8_t { kInput, kScalar, kOp };
  Kind kind;
  OpId op;
  DType dtype;
  std::uint32_t slot;  // position among the recording's inputs, scalars or values
  const Shape* shape;
  const Attribute* attribute;
  NodeVector operands;
  std::uint8_t facts = 0;  // as recorded: see ops/record.h

  bool live = false;       // someone outside will look at the result
  bool dying = false;      // an input whose memory may be overwritten
  bool needed = false;     // live, or read by a needed node
  std::uint32_t uses = 0;  // by needed nodes

  // resolve_views: whose memory holds the elements, and how they lie there.
  std::uint32_t owner = kNone;
  Layout layout;

  // fuse_epilogues, fuse_affine: of a product, of standardized rows, and of what their step makes: its result in the
  // end, or another one.
  Epilogue epilogue;
  Affine affine;
  std::uint32_t made_by = kNone;

  // fuse_elementwise
  std::uint32_t group = kNone;

  // recompute_cheap_values: by every group that reads it, which has it as a member, too.
  bool recomputed = false;

  // emit_steps: the step that makes the result. of_parts: several do, each a part that nobody else writes, and a part
  // for which nobody else looks is made there at once: from element `place` of `part_of` on, in its strides.
  std::uint32_t step = kNone;
  bool of_parts = false;
  std::uint32_t part_of = kNone;
  std::int64_t place = 0;

  Op operation() const { return static_cast<Op>(op); }
  bool is_op(Op wanted) const { return kind == Kind::kOp && operation() == wanted; }
  Family family() const { return row(op).kernel.family; }
  bool is_elementwise() const {
    return kind == Kind::kOp && (family() == Family::kElementwise || family() == Family::kCast);
  }
  std::size_t bytes() const { return static_cast<std::size_t>(shape->numel()) * size_of(dtype); }
};

// Does the node's result lie in its operand's memory? Then it matters to those who look at it which memory that is.
inline bool shares_memory(const Node& node) {
  return node.kind == Node::Kind::kOp && (node.family() == Family::kView || node.family() == Family::kRebase);
}

// Visits the nodes that the node's step reads.
template <typename Visit>
void visit_read(const Node& node, Visit visit) {
  for (std::uint32_t operand : node.operands) visit(operand);
  const Epilogue& more = node.epilogue;
  for (std::uint32_t operand : {more.bias, more.addend, more.mask, more.base, more.rate})
    if (operand != kNone) visit(operand);
  for (std::uint32_t operand : {node.affine.scale, node.affine.shift})
    if (operand != kNone) visit(operand);
}

struct Program {
  std::vector<Node> nodes;  // in creation order
  std::uint32_t inputs = 0, scalars = 0, values = 0;

  // Where each live value ends up: by value slot.
  struct Result {
    std::uint32_t value;   // slot among the recording's values
    std::uint32_t memory;  // a plan's slot: an input's or an output's
    Layout layout;
  };
  std::vector<Result> results;

  Node& operator[](std::uint32_t index) { return nodes[index]; }
  const Node& operator[](std::uint32_t index) const { return nodes[index]; }
};

// What the outside does with a recording's values and inputs: part of what a plan depends on.
struct Liveness {
  using Flags = std::vector<std::uint8_t>;  // bytes: they are written one by one at every flush
  Flags live;                               // value i is looked at when the plan has run
  Flags dying;                              // nobody needs input i's memory after the plan: it may be overwritten
  bool operator==(const Liveness&) const = default;
};

// Decodes a trace.
Program read_trace(std::span<const std::uint64_t> trace, const Liveness& liveness);

// A vector over the last axis of `shape`, contiguous.
inline bool is_over_columns(const Node& node, const Shape* shape) {
  return node.shape->rank() == 1 && !node.layout.strides && (*node.shape)[0] == shape->dims().back();
}

// From now on the step of another node makes this one.
inline void absorb(Program& program, std::uint32_t index, std::uint32_t maker) {
  program[index].made_by = program[index].owner = maker;
}

// A readable dump, one node a line.
std::string to_string(const Program& program);

}  // namespace lamina

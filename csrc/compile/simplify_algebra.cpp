// Pass: x * 1, x / 1, x - 0, -(-x), detached x, and casts there and back are x; so is -(-x) with a reshape between.
// What is written over all of something is a copy. Bits and NaN stay what they are: x + 0 is not among them, for it
// turns -0 into 0, nor x * 0. Test: tests/cpp/test_simplify.cpp.
#include <numeric>

#include "compile/passes.h"
#include "ops/record.h"

namespace lamina {

namespace {

// Is every element 1, in whatever view? The bits of a 1 are another number in another type.
bool all_ones(const Program& program, std::uint32_t index) {
  const auto shows_the_same = [](const Node& node) {
    return node.kind == Node::Kind::kOp && node.family() == Family::kView && !node.is_op(Op::bitcast);
  };
  const Node* node = &program[index];
  while (shows_the_same(*node) && !(node->facts & kAllOnes)) node = &program[node->operands[0]];
  return node->is_op(Op::expand) && node->facts & kAllOnes;
}

// Has `wide` every number of `narrow`?
bool holds(DType wide, DType narrow) {
  if (narrow == DType::kBool || wide == narrow) return true;
  if (narrow == DType::kUInt8) return wide != DType::kBool && wide != DType::kInt8;
  if (narrow == DType::kInt32) return wide == DType::kInt64 || wide == DType::kFloat64;
  return narrow == DType::kFloat32 && wide == DType::kFloat64;
}

// The operand that the node equals; kNone if there is none.
std::uint32_t equal_operand(const Program& program, Node& node) {
  auto operand = [&](std::size_t i) -> const Node& { return program[node.operands[i]]; };
  auto is_whole = [&](std::size_t i) { return operand(i).shape == node.shape && operand(i).dtype == node.dtype; };
  switch (node.operation()) {
    case Op::mul:
      for (std::size_t i = 0; i < 2; ++i)
        if ((node.facts & (i ? kFirstIsOne : kSecondIsOne) || all_ones(program, node.operands[1 - i])) && is_whole(i))
          return node.operands[i];
      return kNone;
    case Op::div:
      return node.facts & kSecondIsOne && is_whole(0) ? node.operands[0] : kNone;
    case Op::sub:
      return node.facts & kSecondIsZero && is_whole(0) ? node.operands[0] : kNone;
    case Op::detach:
      return node.operands[0];
    case Op::neg:
      return operand(0).is_op(Op::neg) ? operand(0).operands[0] : kNone;
    case Op::cast: {
      if (!operand(0).is_op(Op::cast)) return kNone;
      std::uint32_t source = operand(0).operands[0];
      DType from = program[source].dtype;
      if (!holds(operand(0).dtype, from)) return kNone;
      if (from == node.dtype) return source;
      if (!is_floating(from)) node.operands[0] = source;  // what overflows is rounded in one way only from an integer
      return kNone;
    }
    default:
      return kNone;
  }
}

// -reshape(-x) becomes reshape(x): cross-entropy's gradient has one.
void cancel_around_reshape(const Program& program, Node& node) {
  const Node& reshape = program[node.operands[0]];
  if (!node.is_op(Op::neg) || !reshape.is_op(Op::reshape) || !program[reshape.operands[0]].is_op(Op::neg)) return;
  node.op = reshape.op;
  node.attribute = reshape.attribute;
  node.operands[0] = program[reshape.operands[0]].operands[0];
}

// No longer reads what is overwritten as a whole.
void forget_overwritten(const Program& program, Node& node) {
  if (!node.is_op(Op::slice_update) || program[node.operands[1]].shape != node.shape) return;
  for (std::size_t axis = 0; axis < node.shape->dims().size(); ++axis)
    if (node.attribute->values()[node.shape->dims().size() + axis] < 0) return;
  node.op = static_cast<OpId>(Op::clone);
  node.attribute = nullptr;
  node.operands = {node.operands[1]};
}

}  // namespace

void simplify_algebra(Program& program) {
  std::vector<bool> viewed(program.nodes.size());
  for (const Node& node : program.nodes)
    if (shares_memory(node)) viewed[node.operands[0]] = true;
  std::vector<std::uint32_t> stands_for(program.nodes.size());
  std::iota(stands_for.begin(), stands_for.end(), 0u);
  for (std::uint32_t index = 0; index < program.nodes.size(); ++index) {
    Node& node = program[index];
    if (node.kind != Node::Kind::kOp) continue;
    if (!shares_memory(node))
      for (std::uint32_t& operand : node.operands) operand = stands_for[operand];
    forget_overwritten(program, node);
    if (node.live) continue;  // looked at: it keeps memory of its own
    if (std::uint32_t same = equal_operand(program, node); same != kNone)
      stands_for[index] = same;
    else if (!viewed[index] && !shares_memory(node) && !node.operands.empty())
      cancel_around_reshape(program, node);
  }
}

}  // namespace lamina

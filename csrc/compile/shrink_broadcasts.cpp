// Pass: a large elementwise node whose operands all repeat along an axis repeats along it, too: it is computed once
// there, and its readers broadcast it. The gradient of a sum times a row, say, is one row.
// Test: tests/cpp/test_shrink_broadcasts.cpp.
#include "compile/iteration_space.h"
#include "compile/passes.h"

namespace lamina {

namespace {

constexpr std::int64_t kLeast = 1 << 14;  // elements; below, a step more costs what it saves

bool is_elementwise(const Node& node) {
  return node.kind == Node::Kind::kOp && (node.family() == Family::kElementwise || node.family() == Family::kCast);
}

// The nodes that others than elementwise ones read, or views of which are made.
std::vector<bool> find_read_whole(const Program& program) {
  std::vector<bool> whole(program.nodes.size());
  for (const Node& node : program.nodes) {
    if (node.kind != Node::Kind::kOp || !node.needed || is_elementwise(node)) continue;
    for (std::uint32_t operand : node.operands) whole[operand] = true;
  }
  return whole;
}

}  // namespace

void shrink_broadcasts(Program& program) {
  std::vector<bool> whole;
  for (std::uint32_t index = 0; index < program.nodes.size(); ++index) {
    Node& node = program[index];
    if (!is_elementwise(node) || !node.needed || node.live || node.shape->numel() < kLeast) continue;
    if (whole.empty()) whole = find_read_whole(program);
    if (whole[index]) continue;
    DimVector dims(node.shape->rank(), 1);
    for (std::uint32_t operand : node.operands) {
      DimVector strides = broadcast_strides(node.shape, program[operand].shape, program[operand].layout);
      for (std::size_t axis = 0; axis < dims.size(); ++axis)
        if (strides[axis] != 0) dims[axis] = node.shape->dims()[axis];
    }
    node.shape = Shape::of(dims);
  }
}

}  // namespace lamina

// Pass: a large elementwise node whose operands all repeat along an axis repeats along it, too: it is computed once
// there, and its readers broadcast it. The gradient of a sum times a row, say, is one row. A small one is computed once
// if it is one number, and would have a step of its own anyway.
// Test: tests/cpp/test_shrink_broadcasts.cpp.
#include <algorithm>
#include <optional>
#include <vector>

#include "compile/iteration_space.h"
#include "compile/passes.h"

namespace lamina {

namespace {

constexpr std::int64_t kLeast = 1 << 14;  // elements of a large one; below, a step more costs what it saves

// By whom nodes are read.
struct Readers {
  std::vector<bool> whole;  // others than elementwise ones, or views of it are made
  std::vector<bool> alike;  // elementwise ones of its shape, whose step it may be part of

  explicit Readers(const Program& program) : whole(program.nodes.size()), alike(program.nodes.size()) {
    for (const Node& node : program.nodes) {
      if (node.kind != Node::Kind::kOp || !node.needed) continue;
      for (std::uint32_t operand : node.operands) {
        if (!node.is_elementwise())
          whole[operand] = true;
        else if (node.shape == program[operand].shape)
          alike[operand] = true;
      }
    }
  }
};

bool is_one_number(const Node& node) {
  return node.shape->numel() == 1 ||
         (node.layout.strides && is_uniform(node.shape->dims(), strides_of(node.shape, node.layout)));
}

}  // namespace

void shrink_broadcasts(Program& program) {
  std::optional<Readers> readers;
  for (std::uint32_t index = 0; index < program.nodes.size(); ++index) {
    Node& node = program[index];
    if (!node.is_elementwise() || !node.needed || node.live || node.shape->numel() == 1) continue;
    bool large = node.shape->numel() >= kLeast;
    if (!large && !std::ranges::all_of(node.operands, [&](auto operand) { return is_one_number(program[operand]); }))
      continue;
    if (!readers) readers.emplace(program);
    if (readers->whole[index] || (!large && readers->alike[index])) continue;
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

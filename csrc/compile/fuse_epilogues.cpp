// Pass: matmul + bias row, and relu after it, become one step. Test: tests/cpp/test_fuse.cpp.
#include "compile/passes.h"

namespace lamina {

namespace {

// A vector over the last axis of `shape`, contiguous.
bool is_bias_row(const Node& node, const Shape* shape) {
  return node.shape->rank() == 1 && !node.layout.strides && (*node.shape)[0] == (*shape)[shape->rank() - 1];
}

// Takes over `inner`'s work: only when nobody else sees its result.
void absorb(Node& outer, Node& inner) {
  outer.op = inner.op;
  outer.attribute = inner.attribute;
  outer.bias = inner.bias;
  outer.relu = inner.relu;
  outer.operands = inner.operands;
  inner.needed = false;
}

bool is_private(const Node& node) {
  return node.is_op(Op::matmul) && node.uses == 1 && !node.live && is_floating(node.dtype);
}

}  // namespace

void fuse_epilogues(Program& program) {
  for (Node& node : program.nodes) {
    if (!node.needed || node.kind != Node::Kind::kOp) continue;
    if (node.is_op(Op::add)) {
      for (std::size_t side = 0; side < 2; ++side) {
        Node& product = program[node.operands[side]];
        std::uint32_t bias = node.operands[1 - side];
        if (!is_private(product) || product.shape != node.shape || product.bias != kNone || product.relu) continue;
        if (!is_bias_row(program[bias], node.shape)) continue;
        absorb(node, product);
        node.bias = bias;
        break;
      }
    } else if (node.is_op(Op::relu)) {
      Node& product = program[node.operands[0]];
      if (is_private(product) && !product.relu) {
        absorb(node, product);
        node.relu = true;
      }
    }
  }
}

}  // namespace lamina

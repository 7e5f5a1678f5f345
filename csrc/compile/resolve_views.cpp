// Pass: finds out where each node's elements lie.
#include "compile/passes.h"
#include "ops/view_layout.h"

namespace lamina {

void resolve_views(Program& program) {
  for (std::uint32_t index = 0; index < program.nodes.size(); ++index) {
    Node& node = program[index];
    node.owner = index;
    if (node.kind != Node::Kind::kOp || !node.needed) continue;
    bool alias = node.is_op(Op::rebase);
    if (node.family() != Family::kView && !alias) continue;
    const Node& operand = program[node.operands[0]];
    bool scalar = program[operand.owner].kind == Node::Kind::kScalar;
    auto layout = alias ? std::optional<Layout>(operand.layout)
                        : view_layout(node.operation(), node.attribute, operand.shape, operand.layout, node.shape);
    if (layout && !(scalar && node.live)) {
      node.owner = operand.owner;
      node.layout = *layout;
    } else if (scalar && !node.is_op(Op::view_as_complex)) {  // of complex numbers each part is that number
      node.operands[0] = operand.owner;  // all elements are that number, whatever part of the operand this is
      node.op = static_cast<OpId>(Op::clone);
    } else {
      // Reads the operand through its strides, in its own order of elements, into memory of its own.
      bool spread = node.is_op(Op::expand) || alias;
      node.op = static_cast<OpId>(spread ? Op::clone : Op::reshape);
    }
  }
}

}  // namespace lamina

// Pass: marks what a live value needs.
#include "compile/passes.h"

namespace lamina {

void drop_dead_values(Program& program) {
  for (std::size_t i = program.nodes.size(); i-- > 0;) {
    Node& node = program.nodes[i];
    node.needed |= node.live;
    if (!node.needed || node.kind != Node::Kind::kOp) continue;
    if (node.is_op(Op::rebase)) node.operands.resize(1);  // history is the gradient graph's business
    for (std::uint32_t operand : node.operands) {
      program[operand].needed = true;
      ++program[operand].uses;
    }
  }
}

}  // namespace lamina

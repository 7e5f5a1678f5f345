// Pass: a sum of products that sum over few rows is one product over all their rows: the gradient of a weight that
// serves every step of a sequence. Added one by one, each product would read and write the whole sum.
// Test: tests/cpp/test_join_products.cpp.
#include "compile/passes.h"

namespace lamina {

namespace {

constexpr std::int64_t kMostRows = 128;  // of a product: beyond, adding it costs little beside computing it
constexpr std::size_t kLeast = 3;        // products

// Is the node a.T @ b of two matrices with few rows?
bool is_short(const Program& program, const Node& node) {
  return node.is_op(Op::matmul) && is_floating(node.dtype) && node.shape->rank() == 2 && (*node.attribute)[0] != 0 &&
         (*node.attribute)[1] == 0 && (*program[node.operands[0]].shape)[0] <= kMostRows;
}

// Which nodes are short products, or sums of nothing else that nobody sees?
std::vector<bool> find_sums(const Program& program) {
  std::vector<bool> found(program.nodes.size());
  for (std::uint32_t index = 0; index < program.nodes.size(); ++index) {
    const Node& node = program[index];
    if (!node.needed || node.kind != Node::Kind::kOp) continue;
    const auto is_term = [&](std::uint32_t operand) {
      const Node& term = program[operand];
      return found[operand] && term.uses == 1 && !term.live && term.shape == node.shape;
    };
    found[index] =
        is_short(program, node) || (node.is_op(Op::add) && is_term(node.operands[0]) && is_term(node.operands[1]));
  }
  return found;
}

// The products' numbers in the order in which they are added.
NodeVector products_of(const Program& program, std::uint32_t sum) {
  NodeVector products, pending{sum};
  while (!pending.empty()) {
    const std::uint32_t index = pending.back();
    const NodeVector& operands = program[index].operands;
    pending.pop_back();
    if (program[index].is_op(Op::matmul))
      products.push_back(index);
    else
      pending.insert(pending.end(), {operands[1], operands[0]});
  }
  return products;
}

// Nobody computes what is below the sum any more.
void drop_terms(Program& program, std::uint32_t sum) {
  NodeVector pending = program[sum].operands;
  while (!pending.empty()) {
    Node& term = program[pending.back()];
    pending.pop_back();
    term.needed = false;
    if (term.is_op(Op::add)) pending.insert(pending.end(), term.operands.begin(), term.operands.end());
  }
}

}  // namespace

void join_products(Program& program) {
  const std::vector<bool> sums = find_sums(program);
  for (std::uint32_t index = static_cast<std::uint32_t>(sums.size()); index-- > 0;) {
    Node& sum = program[index];
    if (!sums[index] || !sum.needed || !sum.is_op(Op::add)) continue;
    const NodeVector products = products_of(program, index);
    if (products.size() < kLeast) continue;
    drop_terms(program, index);
    const Node& like = program[products[0]];
    sum.op = like.op;
    sum.attribute = like.attribute;
    sum.operands.clear();
    for (std::uint32_t product : products)
      for (std::uint32_t factor : program[product].operands) sum.operands.push_back(factor);
  }
}

}  // namespace lamina

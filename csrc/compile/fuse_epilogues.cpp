// Pass: what is done to a product's elements right away becomes part of its step: bias, sum with a tensor, relu, relu's
// gradient, and the step of an optimizer whose gradient it is. Test: tests/cpp/test_fuse.cpp.
#include <array>
#include <utility>

#include "compile/passes.h"

namespace lamina {

namespace {

// Can the kernels read or write `other` beside the product? Its elements lie as the product's, of more than a column.
bool lies_beside(const Node& other, const Node& product) {
  const Shape* shape = product.shape;
  return other.shape == shape && !other.layout.strides && (*shape)[shape->rank() - 1] > 1;
}

// The product whose whole result the node is.
Node* product_of(Program& program, std::uint32_t index) {
  Node& seen = program[index];
  Node& product = program[seen.made_by == seen.owner ? seen.owner : index];
  return product.is_op(Op::matmul) && product.needed && is_floating(product.dtype) ? &product : nullptr;
}

// That product, if nobody but one reader sees its result, and `other` is there before it runs.
Node* private_product(Program& program, std::uint32_t index, std::uint32_t other = kNone) {
  Node* product = program[index].uses == 1 && !program[index].live ? product_of(program, index) : nullptr;
  if (!product || other == kNone || program[other].kind != Node::Kind::kOp) return product;
  return &program[other] < product ? product : nullptr;
}

std::uint32_t number_of(const Program& program, const Node& node) {
  return static_cast<std::uint32_t>(&node - program.nodes.data());
}

// Sums are associated as recorded: the bias comes first.
void fuse_sum(Program& program, std::uint32_t index) {
  const Node& node = program[index];
  for (std::size_t side = 0; side < 2; ++side) {
    std::uint32_t other = node.operands[1 - side];
    Node* product = private_product(program, node.operands[side], other);
    if (!product || product->shape != node.shape) continue;
    Epilogue& more = product->epilogue;
    if (more.addend != kNone || more.relu || more.mask != kNone) continue;
    bool bias = more.bias == kNone && is_over_columns(program[other], node.shape);
    if (!bias && !lies_beside(program[other], *product)) continue;
    (bias ? more.bias : more.addend) = other;
    return absorb(program, index, number_of(program, *product));
  }
}

void fuse_relu(Program& program, std::uint32_t index) {
  Node* product = private_product(program, program[index].operands[0]);
  if (!product || product->epilogue.relu || product->epilogue.mask != kNone) return;
  product->epilogue.relu = true;
  absorb(program, index, number_of(program, *product));
}

void fuse_mask(Program& program, std::uint32_t index) {
  std::uint32_t mask = program[index].operands[0];
  Node* product = private_product(program, program[index].operands[1], mask);
  if (!product || product->epilogue.mask != kNone || !lies_beside(program[mask], *product)) return;
  product->epilogue.mask = mask;
  absorb(program, index, number_of(program, *product));
}

// The last reader of each node's memory, and the one before it; 0: none.
using LastReaders = std::vector<std::array<std::uint32_t, 2>>;

void note_reads(const Program& program, std::uint32_t index, LastReaders& readers) {
  for (std::uint32_t operand : program[index].operands) {
    auto& [last, before] = readers[program[operand].owner];
    if (last != index) before = std::exchange(last, index);
  }
}

// base - product * rate, where the product may also be looked at: its step stores both. base and rate must be there
// before any step, and whoever else reads base must have done so: else the update could not be made in place.
void fuse_update(Program& program, std::uint32_t index, const LastReaders& readers) {
  Node& node = program[index];
  std::uint32_t base = node.operands[0];
  Node& step = program[node.operands[1]];
  if (!step.is_op(Op::mul) || step.uses > 1 || step.live) return;
  if (program[program[base].owner].kind != Node::Kind::kInput) return;
  const auto& [last, before] = readers[program[base].owner];
  for (std::size_t side = 0; side < 2; ++side) {
    Node* product = product_of(program, step.operands[side]);
    std::uint32_t rate = step.operands[1 - side];
    if (!product || product->epilogue.updated != kNone || product->shape != node.shape) continue;
    if (program[rate].kind == Node::Kind::kOp || program[rate].shape->rank() > 0) continue;
    if (!lies_beside(program[base], *product)) continue;
    if (last != index || before >= number_of(program, *product)) continue;
    product->epilogue.base = base;
    product->epilogue.rate = rate;
    product->epilogue.updated = index;
    node.made_by = number_of(program, *product);
    step.needed = false;
    return;
  }
}

}  // namespace

void fuse_epilogues(Program& program) {
  LastReaders readers(program.nodes.size());
  for (std::uint32_t index = 0; index < program.nodes.size(); ++index)
    if (program[index].needed) note_reads(program, index, readers);
  for (std::uint32_t index = 0; index < program.nodes.size(); ++index) {
    Node& node = program[index];
    node.owner = program[node.owner].owner;  // a view of what a product makes now
    if (!node.needed || node.kind != Node::Kind::kOp) continue;
    if (node.is_op(Op::add)) fuse_sum(program, index);
    if (node.is_op(Op::relu)) fuse_relu(program, index);
    if (node.is_op(Op::relu_gradient)) fuse_mask(program, index);
    if (node.is_op(Op::sub)) fuse_update(program, index, readers);
  }
}

}  // namespace lamina

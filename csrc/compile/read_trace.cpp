// Decodes a tape's trace into a Program.
#include "compile/program.h"

namespace lamina {

Program read_trace(std::span<const std::uint64_t> trace, const Liveness& liveness) {
  Program program;
  program.nodes.reserve(trace.size() / 4);  // words of an op with two operands
  std::vector<std::uint32_t> of_kind[3];    // node numbers by OperandKind and slot
  auto list = [&](OperandKind kind) -> std::vector<std::uint32_t>& { return of_kind[static_cast<std::size_t>(kind)]; };
  for (std::size_t at = 0; at < trace.size();) {
    std::uint64_t head = trace[at++];
    Node node{};
    node.op = static_cast<OpId>(head & 0xFFFF);
    node.dtype = static_cast<DType>(head >> 16 & 0xFF);
    node.facts = static_cast<std::uint8_t>(head >> 24);
    std::size_t count = head >> 32;
    OperandKind kind = node.op == kScalar ? OperandKind::kScalar
                       : node.op == kLeaf ? OperandKind::kInput
                                          : OperandKind::kValue;
    node.slot = static_cast<std::uint32_t>(list(kind).size());
    if (kind == OperandKind::kScalar) {
      node.kind = Node::Kind::kScalar;
      node.shape = Shape::scalar();
      ++program.scalars;
    } else {
      node.kind = kind == OperandKind::kInput ? Node::Kind::kInput : Node::Kind::kOp;
      node.shape = reinterpret_cast<const Shape*>(trace[at++]);
      const auto* attribute = reinterpret_cast<const Attribute*>(trace[at++]);
      if (kind == OperandKind::kInput) {
        node.layout.strides = attribute;
        node.dying = liveness.dying[node.slot];
        ++program.inputs;
      } else {
        node.attribute = attribute;
        node.live = liveness.live[node.slot];
        ++program.values;
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      auto operand = OperandRef::decode(static_cast<std::uint32_t>(trace[at + i / 2] >> (i % 2 ? 32 : 0)));
      node.operands.push_back(list(operand.kind)[operand.slot]);
    }
    at += (count + 1) / 2;
    list(kind).push_back(static_cast<std::uint32_t>(program.nodes.size()));
    program.nodes.push_back(std::move(node));
  }
  return program;
}

std::string to_string(const Program& program) {
  std::string out;
  for (std::size_t i = 0; i < program.nodes.size(); ++i) {
    const Node& node = program.nodes[i];
    const char* name = node.kind == Node::Kind::kInput    ? "input"
                       : node.kind == Node::Kind::kScalar ? "scalar"
                                                          : row(node.op).name;
    out += "%" + std::to_string(i) + " = " + name;
    if (node.attribute && node.kind == Node::Kind::kOp) out += to_string(node.attribute->values(), '[', ']');
    for (std::uint32_t operand : node.operands) out += " %" + std::to_string(operand);
    const Epilogue& more = node.epilogue;
    if (more.bias != kNone) out += " bias %" + std::to_string(more.bias);
    if (more.addend != kNone) out += " addend %" + std::to_string(more.addend);
    if (more.relu) out += " relu";
    if (more.mask != kNone) out += " mask %" + std::to_string(more.mask);
    if (more.updated != kNone) out += " updates %" + std::to_string(more.base) + " to %" + std::to_string(more.updated);
    out += " : " + std::string(name_of(node.dtype)) + to_string(node.shape->dims(), '[', ']');
    if (node.live) out += " live";
    if (node.kind == Node::Kind::kOp && !node.needed) out += " dropped";
    out += "\n";
  }
  return out;
}

}  // namespace lamina

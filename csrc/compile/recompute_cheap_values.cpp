// Pass: a large result of one cheap operation, on what lies in memory anyway, is not stored for other elementwise
// passes to read: each of them computes it anew. x - mean, say, is needed by a variance and by what divides by it.
// Test: tests/cpp/test_fuse.cpp.
#include <algorithm>

#include "compile/passes.h"

namespace lamina {

namespace {

constexpr std::size_t kLeastBytes = 1 << 15;  // below, storing costs next to nothing

bool is_cheap(const Node& node) {
  if (node.family() != Family::kElementwise) return false;
  switch (node.operation()) {
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::neg:
    case Op::abs:
    case Op::square:
    case Op::relu:
      return true;
    default:
      return false;
  }
}

// In memory when the groups that read the node run, and no more of it than the node itself has.
bool reads_only_memory(const Program& program, const Node& node) {
  int large = 0;
  for (std::uint32_t operand : node.operands) {
    const Node& source = program[operand];
    const Node& owner = program[source.owner];
    bool in_memory = owner.kind != Node::Kind::kOp || owner.family() == Family::kReduce || owner.group != node.group;
    if (!in_memory || owner.recomputed) return false;
    large += source.shape->numel() == node.shape->numel();
  }
  return large <= 1;
}

}  // namespace

void recompute_cheap_values(Program& program, std::vector<std::vector<std::uint32_t>>& groups) {
  std::vector<std::vector<std::uint32_t>> readers(program.nodes.size());  // groups; kNone: something else
  for (const Node& node : program.nodes) {
    if (node.kind != Node::Kind::kOp || !node.needed) continue;
    auto read = [&](std::uint32_t operand, bool whole) {
      const Node& source = program[operand];
      if (source.group == kNone || source.group == node.group) return;
      readers[operand].push_back(whole && node.family() != Family::kReduce ? node.group : kNone);
    };
    visit_read(node, [&](std::uint32_t operand) {
      const Node& source = program[operand];
      bool whole = source.owner == operand && source.shape == node.shape;
      read(whole ? operand : source.owner, whole);
    });
  }
  for (std::uint32_t index = 0; index < program.nodes.size(); ++index) {
    Node& node = program[index];
    std::vector<std::uint32_t>& by = readers[index];
    if (by.empty() || node.live || node.bytes() < kLeastBytes || !is_cheap(node) || !reads_only_memory(program, node))
      continue;
    if (std::find(by.begin(), by.end(), kNone) != by.end()) continue;
    node.recomputed = true;
    std::sort(by.begin(), by.end());
    by.erase(std::unique(by.begin(), by.end()), by.end());
    for (std::uint32_t group : by) {
      auto& members = groups[group];
      members.insert(std::lower_bound(members.begin(), members.end(), index), index);
    }
  }
}

}  // namespace lamina

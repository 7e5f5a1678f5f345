// Pass: equal ops on equal operands are computed once. Test: tests/cpp/test_simplify.cpp.
#include <bit>
#include <numeric>

#include "compile/passes.h"

namespace lamina {

namespace {

std::uint64_t hash_of(const Node& node) {
  auto mix = [](std::uint64_t hash, std::uint64_t bits) {
    hash = (hash ^ bits) * 0x9E3779B97F4A7C15ull;
    return hash ^ hash >> 29;
  };
  std::uint64_t hash =
      mix(node.op | static_cast<std::uint64_t>(node.dtype) << 16, reinterpret_cast<std::uintptr_t>(node.shape));
  hash = mix(hash, reinterpret_cast<std::uintptr_t>(node.attribute));
  for (std::uint32_t operand : node.operands) hash = mix(hash, operand);
  return hash;
}

bool equal(const Node& a, const Node& b) {
  return a.op == b.op && a.dtype == b.dtype && a.shape == b.shape && a.attribute == b.attribute &&
         a.operands == b.operands;
}

// A copy is made to be another place in memory.
bool may_merge(const Node& node) { return node.kind == Node::Kind::kOp && node.family() != Family::kCopy; }

}  // namespace

void merge_common_values(Program& program) {
  std::size_t count = program.nodes.size();
  std::vector<std::uint32_t> stands_for(count);
  std::iota(stands_for.begin(), stands_for.end(), 0u);
  std::vector<std::uint32_t> table(std::bit_ceil(2 * count + 1), kNone);  // open addressing
  for (std::uint32_t index = 0; index < count; ++index) {
    Node& node = program[index];
    if (!shares_memory(node))
      for (std::uint32_t& operand : node.operands) operand = stands_for[operand];
    if (!may_merge(node)) continue;
    std::size_t place = hash_of(node) & (table.size() - 1);
    while (table[place] != kNone && !equal(program[table[place]], node)) place = (place + 1) & (table.size() - 1);
    if (table[place] == kNone)
      table[place] = index;
    else if (!node.live)
      stands_for[index] = table[place];
  }
}

}  // namespace lamina

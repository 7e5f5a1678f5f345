// Pass: an elementwise pass may write its result over what it is the last to read: a temporary, or an input that nobody
// needs any more (an optimizer's old parameters). Test: tests/cpp/test_assign_memory.cpp.
#include "compile/passes.h"
#include "compile/visit_locations.h"

namespace lamina {

namespace {

// The register whose memory `out` may take over: read for the last time here, in the same order and element size, and
// by no instruction after the one that writes.
std::vector<std::uint32_t> overwritable(const ElementwiseStep& step, std::size_t out) {
  using Kind = ElementwiseStep::Kind;
  std::vector<std::uint32_t> nodes;
  std::size_t writer = 0;
  while (step.instructions[writer].out != out) ++writer;
  for (std::size_t i = 0; i < step.registers.size(); ++i) {
    const auto& entry = step.registers[i];
    if (entry.kind != Kind::kContiguous || entry.element_size != step.registers[out].element_size) continue;
    if (entry.location.offset != 0 || entry.location.slot == step.registers[out].location.slot) continue;
    bool safe = true;
    for (std::size_t other = 0; other < step.registers.size(); ++other)  // not read in another way too
      safe &= other == i || step.registers[other].kind == Kind::kTemporary ||
              step.registers[other].location.slot != entry.location.slot;
    for (std::size_t k = 0; k < step.instructions.size(); ++k) {
      safe &= step.instructions[k].out != i;
      for (std::size_t operand = 0; operand < step.instructions[k].arity; ++operand)
        safe &= k <= writer || step.instructions[k].in[operand] != i;
    }
    if (safe) nodes.push_back(entry.location.slot);
  }
  return nodes;
}

}  // namespace

std::vector<std::uint32_t> reuse_dying_memory(const Program& program, Plan& plan) {
  std::size_t count = program.nodes.size();
  std::vector<std::size_t> last_read(count, static_cast<std::size_t>(-1));
  for (std::size_t number = 0; number < plan.steps.size(); ++number)
    visit_locations(plan.steps[number], [&](Location& location) { last_read[location.slot] = number; });
  std::vector<bool> outlives(count, false), taken(count, false);
  for (const Node& node : program.nodes)
    if (node.live) outlives[node.owner] = true;
  std::vector<std::uint32_t> root_of(count);
  for (std::uint32_t index = 0; index < count; ++index) root_of[index] = index;
  for (std::size_t number = 0; number < plan.steps.size(); ++number) {
    const auto* step = std::get_if<ElementwiseStep>(&plan.steps[number]);
    if (!step) continue;
    for (const auto& instruction : step->instructions) {
      if (step->registers[instruction.out].kind != ElementwiseStep::Kind::kContiguous) continue;
      std::uint32_t result = step->registers[instruction.out].location.slot;
      for (std::uint32_t old : overwritable(*step, instruction.out)) {
        const Node& root = program[root_of[old]];
        bool dies = last_read[old] == number && !taken[old] && !outlives[old] &&
                    (program[old].kind == Node::Kind::kOp || program[old].dying) &&
                    root.bytes() == program[result].bytes();
        // A result that outlives the plan can only take memory that does so too: an input's.
        if (!dies || (outlives[result] && root.kind != Node::Kind::kInput)) continue;
        taken[old] = true;
        root_of[result] = root_of[old];
        break;
      }
    }
  }
  return root_of;
}

}  // namespace lamina

// Pass: an elementwise pass, or a product that updates, may write its result over what it is the last to read: a
// temporary, or an input that nobody needs any more (an optimizer's old parameters). A copy of such memory is that
// memory, so that indexed writes touch no more than they change. Test: tests/cpp/test_assign_memory.cpp.
#include <algorithm>
#include <vector>

#include "compile/passes.h"
#include "compile/visit_locations.h"

namespace lamina {

namespace {

// How a pass uses its registers.
struct RegisterUse {
  bool only_one;  // of all registers, of their slot
  bool written;
  std::size_t last_reader;  // instruction
  std::size_t writer;
};

// registers_of: zeros, one a slot; they are zeros again afterwards.
std::vector<RegisterUse> uses_of(const ElementwiseStep& step, std::vector<std::uint32_t>& registers_of) {
  const auto in_memory = [](const auto& entry) { return entry.kind != ElementwiseStep::Kind::kTemporary; };
  for (const auto& entry : step.registers)
    if (in_memory(entry)) ++registers_of[entry.location.slot];
  std::vector<RegisterUse> uses;
  uses.reserve(step.registers.size());
  for (const auto& entry : step.registers)
    uses.push_back({in_memory(entry) && registers_of[entry.location.slot] == 1, false, 0, 0});
  for (const auto& entry : step.registers) registers_of[entry.location.slot] = 0;
  for (std::size_t k = 0; k < step.instructions.size(); ++k) {
    const auto& instruction = step.instructions[k];
    for (std::size_t operand = 0; operand < instruction.arity; ++operand) uses[instruction.in[operand]].last_reader = k;
    uses[instruction.out].written = true;
    uses[instruction.out].writer = k;
  }
  return uses;
}

// The registers whose memory `out` may take over: read for the last time here, in the same order and element size, in
// no other way too, and by no instruction after the one that writes.
NodeVector overwritable(const ElementwiseStep& step, const std::vector<RegisterUse>& uses, std::size_t out) {
  NodeVector nodes;
  for (std::size_t i = 0; i < step.registers.size(); ++i) {
    const auto& entry = step.registers[i];
    if (entry.kind != ElementwiseStep::Kind::kContiguous) continue;
    if (entry.element_size != step.registers[out].element_size || entry.location.offset != 0) continue;
    if (uses[i].only_one && !uses[i].written && uses[i].last_reader <= uses[out].writer)
      nodes.push_back(entry.location.slot);
  }
  return nodes;
}

// What a product updates: it reads that in no other way (see fuse_epilogues).
NodeVector overwritable(const MatmulStep& step) {
  if (!step.has_update || step.base.offset != 0) return {};
  return {step.base.slot};
}

// Does the copy make all of node `to` out of all of node `from`?
bool copies_whole(const Program& program, const CopyStep& step) {
  std::int64_t numel = 1;
  for (std::int64_t size : step.dims) numel *= size;
  std::size_t bytes = static_cast<std::size_t>(numel) * step.element_size;
  return step.dims.size() <= 1 && step.from.offset == 0 && step.to.offset == 0 &&
         step.from_strides == step.to_strides && program[step.from.slot].bytes() == bytes &&
         program[step.to.slot].bytes() == bytes;
}

}  // namespace

std::vector<std::uint32_t> reuse_dying_memory(const Program& program, Plan& plan) {
  std::size_t count = program.nodes.size();
  constexpr auto kNever = static_cast<std::size_t>(-1);
  std::vector<std::size_t> last_read(count, kNever), first_use(count, kNever);
  for (std::size_t number = 0; number < plan.steps.size(); ++number)
    visit_locations(plan.steps[number], [&](Location& location) {
      last_read[location.slot] = number;
      first_use[location.slot] = std::min(first_use[location.slot], number);
    });
  std::vector<bool> outlives(count, false), taken(count, false);
  for (const Node& node : program.nodes)
    if (node.live) outlives[node.owner] = true;
  std::vector<std::uint32_t> root_of(count), registers_of(count, 0);
  for (std::uint32_t index = 0; index < count; ++index) root_of[index] = index;
  auto dies = [&](std::uint32_t old, std::size_t number, std::uint32_t result) {
    return last_read[old] == number && !taken[old] && !outlives[old] &&
           (program[old].kind == Node::Kind::kOp || program[old].dying) &&
           program[root_of[old]].bytes() == program[result].bytes();
  };
  for (std::size_t number = 0; number < plan.steps.size(); ++number) {
    if (const auto* copy = std::get_if<CopyStep>(&plan.steps[number])) {
      std::uint32_t old = copy->from.slot, result = copy->to.slot;
      if (first_use[result] != number || !copies_whole(program, *copy) || !dies(old, number, result)) continue;
      taken[old] = true;
      std::uint32_t root = root_of[old];
      if (outlives[result] && program[root].kind != Node::Kind::kInput)  // made in the result's memory from the start
        std::replace(root_of.begin(), root_of.end(), root, result);
      else
        root_of[result] = root;
      continue;
    }
    const auto take_over = [&](std::uint32_t result, const NodeVector& candidates) {
      for (std::uint32_t old : candidates) {
        // A result that outlives the plan can only take memory that does so too: an input's.
        bool outlived = outlives[result] && program[root_of[old]].kind != Node::Kind::kInput;
        if (!dies(old, number, result) || outlived) continue;
        taken[old] = true;
        root_of[result] = root_of[old];
        return;
      }
    };
    if (const auto* product = std::get_if<MatmulStep>(&plan.steps[number]))
      take_over(product->updated.slot, overwritable(*product));
    const auto* step = std::get_if<ElementwiseStep>(&plan.steps[number]);
    if (!step) continue;
    std::vector<RegisterUse> uses = uses_of(*step, registers_of);
    for (const auto& instruction : step->instructions)
      if (step->registers[instruction.out].kind == ElementwiseStep::Kind::kContiguous)
        take_over(step->registers[instruction.out].location.slot, overwritable(*step, uses, instruction.out));
  }
  return root_of;
}

}  // namespace lamina

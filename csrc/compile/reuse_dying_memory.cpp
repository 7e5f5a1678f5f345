// Pass: an elementwise pass, or a product that updates, may write its result over what it is the last to read: a
// temporary, or an input that nobody needs any more (an optimizer's old parameters). A temporary that a result which
// stays would write over is made in that result's memory from the start. A copy of memory that dies is that memory, so
// that indexed writes touch no more than they change; and what is copied to be a part of something is made there. Test:
// tests/cpp/test_assign_memory.cpp.
#include <algorithm>
#include <vector>

#include "compile/passes.h"
#include "compile/resting_memory.h"
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
  for (const auto& reduction : step.reductions)  // they read when all instructions have run
    for (std::size_t operand = 0; operand < std::max<std::size_t>(reduction.arity, 1); ++operand)
      uses[reduction.in[operand]].last_reader = step.instructions.size();
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

// Does the copy take all of a node, in the order in which it lies?
bool reads_whole(const Program& program, const CopyStep& step) {
  std::int64_t numel = 1;
  for (std::int64_t size : step.dims) numel *= size;
  return step.dims.size() <= 1 && step.from.offset == 0 && step.from_strides == step.to_strides &&
         program[step.from.slot].bytes() == static_cast<std::size_t>(numel) * step.element_size;
}

// Does it make all of another one?
bool copies_whole(const Program& program, const CopyStep& step) {
  return reads_whole(program, step) && step.to.offset == 0 &&
         program[step.to.slot].bytes() == program[step.from.slot].bytes();
}

class Homes {
 public:
  Homes(const Program& program, Plan& plan);
  std::vector<Home> find();

 private:
  bool is_temporary(std::uint32_t node) const { return program_[node].kind == Node::Kind::kOp && !outlives_[node]; }
  bool dies(std::uint32_t old, std::size_t number, std::uint32_t result) const;
  void make_in_place(const CopyStep& copy);
  void become(const CopyStep& copy, std::size_t number);
  void move_in(std::uint32_t result, std::uint32_t old);
  void take_over(std::uint32_t result, const NodeVector& candidates, std::size_t number);

  static constexpr auto kNever = static_cast<std::size_t>(-1);
  const Program& program_;
  Plan& plan_;
  std::vector<std::size_t> first_use_, last_use_;  // steps
  std::vector<bool> outlives_, taken_;             // the plan; by another node
  std::vector<Home> homes_;
  RestingMemory resting_;
};

Homes::Homes(const Program& program, Plan& plan) : program_(program), plan_(plan), resting_(program) {
  const std::size_t count = program.nodes.size();
  first_use_.assign(count, kNever);
  last_use_.assign(count, kNever);
  for (std::size_t number = 0; number < plan.steps.size(); ++number)
    visit_locations(plan.steps[number], [&](Location& location) {
      last_use_[location.slot] = number;
      first_use_[location.slot] = std::min(first_use_[location.slot], number);
    });
  outlives_.assign(count, false);
  taken_.assign(count, false);
  for (const Node& node : program.nodes)
    if (node.live) outlives_[node.owner] = true;
  for (std::uint32_t index = 0; index < count; ++index) homes_.push_back({index});
}

bool Homes::dies(std::uint32_t old, std::size_t number, std::uint32_t result) const {
  return last_use_[old] == number && !taken_[old] && !outlives_[old] &&
         (program_[old].kind == Node::Kind::kOp || program_[old].dying) &&
         program_[homes_[old].node].bytes() == program_[result].bytes();
}

// What is copied to be a part of something is made there, if it is of no other memory yet.
void Homes::make_in_place(const CopyStep& copy) {
  const std::uint32_t part = copy.from.slot, whole = copy.to.slot;
  if (!program_[whole].of_parts || !is_temporary(part) || taken_[part] || !reads_whole(program_, copy)) return;
  const auto [node, offset] = homes_[whole];
  homes_[part] = {node, offset + copy.to.offset};
  taken_[part] = true;
  first_use_[node] = std::min(first_use_[node], first_use_[part]);
  last_use_[node] = std::max(last_use_[node], last_use_[part]);
}

void Homes::become(const CopyStep& copy, std::size_t number) {
  const std::uint32_t old = copy.from.slot, result = copy.to.slot;
  if (first_use_[result] != number || homes_[result].node != result) return;
  if (copies_whole(program_, copy) && dies(old, number, result)) move_in(result, old);
}

// The result's elements lie where the old ones lay. What outlives the plan has memory of its own, in which the old ones
// are made from the start, or an input's.
void Homes::move_in(std::uint32_t result, std::uint32_t old) {
  taken_[old] = true;
  const std::uint32_t root = homes_[old].node;
  if (outlives_[result] && program_[root].kind != Node::Kind::kInput) {
    for (Home& home : homes_)
      if (home.node == root) home.node = result;
  } else {
    homes_[result].node = root;
  }
}

void Homes::take_over(std::uint32_t result, const NodeVector& candidates, std::size_t number) {
  if (first_use_[result] != number || homes_[result].node != result) return;
  const auto one_that_dies = [&](bool only_inputs) {
    return std::find_if(candidates.begin(), candidates.end(), [&](std::uint32_t old) {
      const std::uint32_t home = homes_[old].node;
      const bool is_input = program_[home].kind == Node::Kind::kInput;
      return dies(old, number, result) && (is_input || (!only_inputs && resting_.until(home) <= number));
    });
  };
  auto old = one_that_dies(outlives_[result]);  // no memory need be allocated then
  if (old == candidates.end()) old = one_that_dies(false);
  if (old != candidates.end()) move_in(result, *old);
}

std::vector<Home> Homes::find() {
  for (std::size_t number = plan_.steps.size(); number-- > 0;)  // wholes, which may be parts, before their parts
    if (const auto* copy = std::get_if<CopyStep>(&plan_.steps[number])) make_in_place(*copy);
  std::vector<std::uint32_t> registers_of(program_.nodes.size(), 0);
  for (std::size_t number = 0; number < plan_.steps.size(); ++number) {
    const Step& at = plan_.steps[number];
    resting_.note(at, number, [this](std::uint32_t node) { return homes_[node].node; });
    if (const auto* copy = std::get_if<CopyStep>(&at)) become(*copy, number);
    if (const auto* product = std::get_if<MatmulStep>(&at))
      take_over(product->updated.slot, overwritable(*product), number);
    const auto* step = std::get_if<ElementwiseStep>(&at);
    if (!step) continue;
    const std::vector<RegisterUse> uses = uses_of(*step, registers_of);
    for (const auto& instruction : step->instructions) {
      const auto& out = step->registers[instruction.out];
      if (out.kind == ElementwiseStep::Kind::kContiguous && out.location.offset == 0)
        take_over(out.location.slot, overwritable(*step, uses, instruction.out), number);
    }
  }
  return std::move(homes_);
}

}  // namespace

std::vector<Home> reuse_dying_memory(const Program& program, Plan& plan) { return Homes(program, plan).find(); }

}  // namespace lamina

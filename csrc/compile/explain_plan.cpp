// What a plan does, for people: every step with the operations in it, and why they are not in fewer.
// Test: tests/python/test_plan.py.
#include <set>

#include "compile/account_steps.h"
#include "compile/passes.h"
#include "support/check.h"

namespace lamina {

namespace {

using ModuleOf = std::function<std::string(std::uint32_t)>;

std::string named(const Node& node, const ModuleOf& module_of) {
  std::string path = module_of(node.slot);
  return path.empty() ? row(node.op).name : text(row(node.op).name, " (", path, ")");
}

// Why the step of product number `made` does not do what `reader` does, too. See fuse_epilogues.
std::string epilogue_refusal(const Program& program, const Node& reader, std::uint32_t operand, std::uint32_t made) {
  const Node& product = program[made];
  if (reader.is_op(Op::mul))
    return "is scaled, which products do only for old - product * rate, of an input that nobody reads after them";
  if (product.live) return "is looked at from outside, or by a gradient";
  if (product.uses > 1) return text("is read ", product.uses, " times");
  if (!reader.is_op(Op::add) && !reader.is_op(Op::relu) && !reader.is_op(Op::relu_gradient))
    return "ends in what the kernels can add to a product";
  for (std::uint32_t other : reader.operands) {
    if (other == operand) continue;
    if (program[other].kind == Node::Kind::kOp && other > made) return "is made before the other operand";
    if (program[other].shape != product.shape || program[other].layout.strides)
      return "meets an operand of another shape or order";
  }
  if (product.shape->dims().back() == 1) return "is a single column";
  return "ends in what the kernels can add to a product already";
}

// Why `reader` does not take over the work of its operand; "" where nobody would expect it to.
std::string refusal(const Program& program, const Node& reader, std::uint32_t operand) {
  const Node &seen = program[operand], &made = program[seen.owner];
  bool chain = reader.is_elementwise() && made.is_elementwise();
  bool epilogue = reader.is_elementwise() && made.is_op(Op::matmul);
  bool producer = reader.family() == Family::kReduce && made.is_elementwise();
  if (!chain && !epilogue && !producer) return "";
  if (&seen != &made && seen.family() == Family::kView) return text("is read through a ", row(seen.op).name);
  if (epilogue) return epilogue_refusal(program, reader, operand, seen.owner);
  if (chain && reader.shape != made.shape)
    return text("has shape ", to_string(made.shape->dims(), '[', ']'), ", the reader ",
                to_string(reader.shape->dims(), '[', ']'));
  if (chain) return "was needed in memory before the reader's turn, or the pass is full";
  if (made.live) return "is looked at from outside, or by a gradient";
  if (made.uses > 1) return text("is read ", made.uses, " times");
  return "is read from memory by this reduction";
}

}  // namespace

std::string explain_plan(const Program& unfused, const Program& program, const Plan& plan, const ModuleOf& module_of) {
  std::vector<std::string> contents(plan.steps.size());
  std::string views, refusals;
  std::size_t dead = 0;
  std::set<std::string> said;
  auto count = static_cast<std::uint32_t>(unfused.nodes.size());
  const std::vector<std::uint32_t> makers = find_makers(unfused, program);
  for (std::uint32_t index = 0; index < count; ++index) {
    const Node& node = program[index];
    if (node.kind != Node::Kind::kOp) continue;
    if (!unfused[index].needed) {
      ++dead;
      continue;
    }
    const std::uint32_t at = makers[index];
    if (at == kNone) continue;
    if (program[at].owner != at && at == index) views += " " + named(unfused[index], module_of);
    if (program[at].step != kNone) contents[program[at].step] += ", " + named(unfused[index], module_of);
    if (!node.needed || node.step == kNone) continue;
    for (std::uint32_t operand : node.operands) {
      const Node& made = program[program[operand].owner];
      if (made.kind != Node::Kind::kOp || made.step == kNone || made.step == node.step) continue;
      std::string why = refusal(program, node, operand);
      std::string line =
          text("step ", made.step, " is not part of step ", node.step, ": ", named(made, module_of), " ", why, "\n");
      if (!why.empty() && said.insert(line).second) refusals += line;
    }
  }
  std::string out = text(plan.steps.size(), " steps for ", program.values, " recorded values; arena ", plan.arena_bytes,
                         " bytes, ", plan.output_bytes.size(), " outputs\n");
  for (std::size_t step = 0; step < plan.steps.size(); ++step) {
    out += text("step ", step, ": ", plan.notes[step], "\n");
    if (!contents[step].empty()) out += text("    computes ", contents[step].substr(2), "\n");
  }
  for (const RowBlocks& blocks : plan.row_blocks)
    out += text("steps ", blocks.first, " to ", blocks.end - 1, " on blocks of ", blocks.block, " of ", blocks.rows,
                " rows, one block after the other\n");
  for (const Stretch& stretch : plan.stretches)
    out += text("steps ", stretch.first, " to ", stretch.end - 1, " side by side on up to ", stretch.most,
                " threads, each at its own rows", stretch.turns.empty() ? "" : " or, in turns, weights", "\n");
  if (!views.empty()) out += text("only another look at memory:", views, "\n");
  if (dead > 0) out += text("not computed, for nobody looks: ", dead, "\n");
  return out + (refusals.empty() ? "" : "not fused:\n") + refusals;
}

}  // namespace lamina

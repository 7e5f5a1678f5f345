// The passes, in the order in which compile() runs them.
#pragma once

#include <functional>
#include <string>

#include "compile/program.h"

namespace lamina {

// Replaces what is known to equal one of its operands, to the bit and for every number, by that operand.
void simplify_algebra(Program& program);

// Lets equal ops on equal operands be computed once. Copies stay copies, and what is looked at keeps memory of its own.
void merge_common_values(Program& program);

// Marks what a live value needs, and counts uses; everything else is never computed.
void drop_dead_values(Program& program);

// Finds out where each node's elements lie: views share their operand's memory. A view that strides cannot express, and
// a live view of a scalar, become copies.
void resolve_views(Program& program);

// Lets elementwise nodes whose operands all repeat along an axis, and whose readers are elementwise, be computed once
// along it.
void shrink_broadcasts(Program& program);

// Makes sums of products that sum over few rows products over all of these: their operands are the factors in pairs.
void join_products(Program& program);

// Lets matrix products add a bias and a tensor, apply relu or relu's gradient, and update what they are the gradient
// of, before they store.
void fuse_epilogues(Program& program);

// Lets steps that standardize rows scale and shift the columns, and steps that make the gradient by the rows make those
// by scale and shift.
void fuse_affine(Program& program);

// Puts elementwise nodes over the same iteration space, and reductions of their results, into groups that run as one
// pass.
// Returns, per group, its members in order.
std::vector<std::vector<std::uint32_t>> fuse_elementwise(Program& program);

// Makes cheap members of groups members of the other groups that read them, so that they need not be stored.
void recompute_cheap_values(Program& program, std::vector<std::vector<std::uint32_t>>& groups);

// Emits the plan's steps, with notes where people will read them; locations name nodes (slot = node number) until
// assign_memory.
void emit_steps(Program& program, const std::vector<std::vector<std::uint32_t>>& groups, Plan& plan, bool with_notes);

// Puts short steps that sum over all rows, as gradients of weights do, behind several that go row by row.
void gather_sums(Program& program, Plan& plan);

// Whose memory a node's elements lie in, and where; by default its own.
struct Home {
  std::uint32_t node;
  std::int64_t offset = 0;  // bytes
};
// Decides the home of each node. Part of assign_memory.
std::vector<Home> reuse_dying_memory(const Program& program, Plan& plan);

// For people: what each step computes, and for what stands in steps of its own beside a reader, why. `unfused`: the
// program after drop_dead_values. module_of: as in CompileReport.
std::string explain_plan(const Program& unfused, const Program& program, const Plan& plan,
                         const std::function<std::string(std::uint32_t)>& module_of);

// Gives each owner of memory an output slot or a place in the arena, and writes the final slots into the steps.
void assign_memory(Program& program, Plan& plan);

// Which steps run block by block of rows: bytes.
struct BlockLimits {
  std::int64_t least = 1 << 21;  // of an operand that several steps look at
  std::int64_t block = 1 << 17;  // of a block: it stays in the second level
  std::int64_t least_rows = 64;
};
// Finds large steps over the same rows that run block by block.
void block_rows(Plan& plan, const BlockLimits& limits = {});

// Which short steps are worth sharing.
struct StretchLimits {
  double longest = 50e3;          // nanoseconds; a step beyond shares itself out
  double least = 20e3;            // nanoseconds of a stretch
  std::uint32_t least_turns = 4;  // owners of weights, for threads to take turns
  std::uint32_t many = 32;        // steps, which may be twice as long each: not to meet counts for more then
};
// Finds stretches of short steps that threads can go through side by side, and what of each step waits for what.
void share_steps(Plan& plan, const StretchLimits& limits = {});

}  // namespace lamina

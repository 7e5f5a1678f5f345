// A small recorded program, taken through the compiler's passes as far as a test wants.
#pragma once

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "compile/passes.h"
#include "compile/plan_cache.h"
#include "graph/tape.h"
#include "recorded_values.h"

namespace lamina::testing {

// Records a program on a tape of its own and takes it through the passes.
struct Compiled {
  Tape tape;
  TapeGuard guard{tape};
  Liveness liveness;
  Program program;
  std::vector<std::vector<std::uint32_t>> groups;
  Plan plan;

  // live: what is looked at afterwards; dying: inputs whose memory nobody needs any more.
  void read(const std::vector<ValuePtr>& live, const std::vector<ValuePtr>& dying = {}) {
    const Recording& recording = tape.recording();
    liveness.live.assign(recording.values.size(), false);
    liveness.dying.assign(recording.inputs.size(), false);
    for (const ValuePtr& value : live) liveness.live[value->slot] = true;
    for (const ValuePtr& value : dying) liveness.dying[value->slot] = true;
    program = read_trace(recording.trace, liveness);
  }
  void fuse() {
    drop_dead_values(program);
    resolve_views(program);
    shrink_broadcasts(program);
    join_products(program);
    fuse_epilogues(program);
    fuse_affine(program);
    groups = fuse_elementwise(program);
    recompute_cheap_values(program, groups);
  }
  void finish(bool gathers = true) {
    fuse();
    emit_steps(program, groups, plan, true);
    if (gathers) gather_sums(program, plan);
    assign_memory(program, plan);
  }
  std::uint32_t number(const ValuePtr& value) const {
    for (std::uint32_t i = 0; i < program.nodes.size(); ++i)
      if (program.nodes[i].kind == Node::Kind::kOp && program.nodes[i].slot == value->slot) return i;
    return kNone;
  }
  const Node& node(const ValuePtr& value) const { return program[number(value)]; }
  template <typename Step>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(plan.steps.begin(), plan.steps.end(),
                                                  [](const auto& step) { return std::holds_alternative<Step>(step); }));
  }
};

}  // namespace lamina::testing

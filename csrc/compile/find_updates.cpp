// Finds updates by who uses what first, and before the update. Test: tests/cpp/test_share_steps.cpp.
#include "compile/find_updates.h"

#include "compile/visit_locations.h"

namespace lamina {

namespace {

// The steps that name a node. Its maker comes first, if it is made by a step.
struct Uses {
  std::uint32_t first = kNone, last = kNone, before_last = kNone;

  void note(std::uint32_t step) {
    if (first == kNone) first = step;
    if (last == step) return;
    before_last = last;
    last = step;
  }
};

std::vector<Uses> find_uses(Plan& plan) {
  std::vector<Uses> uses;
  for (std::uint32_t number = 0; number < plan.steps.size(); ++number)
    visit_locations(plan.steps[number], [&](const Location& place) {
      if (place.slot >= uses.size()) uses.resize(place.slot + 1);
      uses[place.slot].note(number);
    });
  return uses;
}

// The last step that an elementwise one has to follow; kNone, if it is no update or follows none.
std::uint32_t last_before(const Program& program, std::uint32_t number, const ElementwiseStep& step,
                          const std::vector<Uses>& uses) {
  using Kind = ElementwiseStep::Kind;
  if (!step.reductions.empty()) return kNone;
  std::uint32_t last = kNone;
  for (const auto& entry : step.registers) {
    if (entry.kind == Kind::kTemporary) continue;
    const Uses& of = uses[entry.location.slot];
    // One element for all is not written over: only who makes it matters.
    const bool one = entry.kind == Kind::kUniform;
    if (one && program[entry.location.slot].kind != Node::Kind::kOp) continue;
    if (!one && of.last != number) return kNone;
    const std::uint32_t before = one ? of.first : of.before_last;
    if (before != kNone && (last == kNone || last < before)) last = before;
  }
  return last;
}

}  // namespace

Updates::Updates(const Program& program, Plan& plan) : behind_(plan.steps.size()) {
  const std::vector<Uses> uses = find_uses(plan);
  for (std::uint32_t number = 0; number < plan.steps.size(); ++number)
    if (const auto* step = std::get_if<ElementwiseStep>(&plan.steps[number]))
      if (const std::uint32_t last = last_before(program, number, *step, uses); last != kNone)
        behind_[last].push_back(number);
}

}  // namespace lamina

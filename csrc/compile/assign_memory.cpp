// Pass: outputs get storages of their own; temporaries share one arena, each for as long as it is read.
#include <utility>

#include "compile/arena.h"
#include "compile/passes.h"
#include "compile/resting_memory.h"
#include "compile/visit_locations.h"

namespace lamina {

namespace {

constexpr std::int64_t kAlignment = 64;

// A copy from a place to itself is none.
void drop_idle_copies(Program& program, Plan& plan) {
  std::size_t kept = 0;
  std::vector<std::uint32_t> renumbered(plan.steps.size(), kNone);
  for (std::size_t number = 0; number < plan.steps.size(); ++number) {
    const auto* copy = std::get_if<CopyStep>(&plan.steps[number]);
    if (copy && copy->from.slot == copy->to.slot && copy->from.offset == copy->to.offset) continue;
    if (kept != number) {
      plan.steps[kept] = std::move(plan.steps[number]);
      plan.notes[kept] = std::move(plan.notes[number]);
    }
    plan.nanoseconds[kept] = plan.nanoseconds[number];
    renumbered[number] = static_cast<std::uint32_t>(kept++);
  }
  if (kept == plan.steps.size()) return;
  plan.steps.resize(kept);
  plan.nanoseconds.resize(kept);
  plan.notes.resize(kept);
  for (Node& node : program.nodes)
    if (node.step != kNone) node.step = renumbered[node.step];
}

}  // namespace

void assign_memory(Program& program, Plan& plan) {
  struct Place {
    std::uint32_t slot = kNone;
    std::int64_t offset = 0;
    std::size_t first = 0, last = 0;
    bool in_arena = false;
  };
  std::vector<Place> places(program.nodes.size());
  const std::vector<Home> homes = reuse_dying_memory(program, plan);
  for (std::size_t index = 0; index < program.nodes.size(); ++index) {
    const Node& node = program.nodes[index];
    if (node.kind == Node::Kind::kInput) places[index].slot = plan.first_input() + node.slot;
    if (node.kind == Node::Kind::kScalar) places[index].slot = plan.first_scalar() + node.slot;
    const Node& root = program[homes[index].node];
    if (root.kind == Node::Kind::kInput) places[index].slot = plan.first_input() + root.slot;
  }
  for (const Node& node : program.nodes) {
    if (!node.live) continue;
    Place& place = places[node.owner];
    if (place.slot == kNone) {
      place.slot = static_cast<std::uint32_t>(plan.slots());
      plan.output_bytes.push_back(program[node.owner].bytes());
    }
    program.results.push_back({node.slot, place.slot, node.layout});
  }
  for (std::size_t step = 0; step < plan.steps.size(); ++step) {
    visit_locations(plan.steps[step], [&](Location& location) {
      Place& place = places[homes[location.slot].node];
      if (place.slot == kNone) {
        place.slot = 0;
        place.in_arena = true;
        place.first = step;
      }
      place.last = step;
    });
  }
  Arena arena;
  RestingMemory resting(program);
  for (std::size_t step = 0; step < plan.steps.size(); ++step) {
    arena.come_to(step);
    resting.note(plan.steps[step], step, [&homes](std::uint32_t node) { return homes[node].node; });
    std::vector<std::uint32_t> ending;
    visit_locations(plan.steps[step], [&](Location& location) {
      const auto [node, within] = homes[location.slot];
      Place& place = places[node];
      if (place.in_arena && place.first == step) {
        place.offset = arena.take(program[node].bytes());
        place.first = static_cast<std::size_t>(-1);  // taken
      }
      if (place.in_arena && place.last == step) {
        ending.push_back(node);
        place.last = static_cast<std::size_t>(-1);
      }
      location = {place.slot, location.offset + within + place.offset};
    });
    for (std::uint32_t node : ending) arena.give_back(places[node].offset, program[node].bytes(), resting.until(node));
  }
  plan.arena_bytes = arena.size();
  drop_idle_copies(program, plan);
}

}  // namespace lamina

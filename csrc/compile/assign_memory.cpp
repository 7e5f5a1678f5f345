// Pass: outputs get storages of their own; temporaries share one arena, each for as long as it is read.
#include <algorithm>
#include <map>
#include <utility>

#include "compile/passes.h"
#include "compile/resting_memory.h"
#include "compile/visit_locations.h"

namespace lamina {

namespace {

constexpr std::int64_t kAlignment = 64;

constexpr std::int64_t kMostResting = 1 << 20;  // bytes of the arena that nobody reads any more, and nobody writes yet

// Free blocks of the arena by offset; the smallest that fits is taken.
class Arena {
 public:
  std::int64_t take(std::int64_t bytes) {
    auto best = free_.end();
    for (auto block = free_.begin(); block != free_.end(); ++block)
      if (block->second >= bytes && (best == free_.end() || block->second < best->second)) best = block;
    if (best == free_.end()) {
      // The last block may be grown.
      std::int64_t start = size_;
      if (!free_.empty() && free_.rbegin()->first + free_.rbegin()->second == size_) {
        start = free_.rbegin()->first;
        free_.erase(start);
      }
      size_ = start + bytes;
      return start;
    }
    auto [start, length] = *best;
    free_.erase(best);
    if (length > bytes) free_[start + bytes] = length - bytes;
    return start;
  }

  void give_back(std::int64_t start, std::int64_t bytes) {
    auto next = free_.lower_bound(start);
    if (next != free_.end() && start + bytes == next->first) {
      bytes += next->second;
      next = free_.erase(next);
    }
    if (next != free_.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == start) {
        before->second += bytes;
        return;
      }
    }
    free_[start] = bytes;
  }

  std::int64_t size() const { return size_; }

 private:
  std::map<std::int64_t, std::int64_t> free_;
  std::int64_t size_ = 0;
};

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
  std::multimap<std::size_t, std::uint32_t> ended;  // nodes that rest, by the steps where they are given back
  std::int64_t ended_bytes = 0;
  auto rounded = [&](std::size_t node) {
    return (static_cast<std::int64_t>(program.nodes[node].bytes()) + kAlignment - 1) / kAlignment * kAlignment;
  };
  for (std::size_t step = 0; step < plan.steps.size(); ++step) {
    resting.note(plan.steps[step], step, [&homes](std::uint32_t node) { return homes[node].node; });
    visit_locations(plan.steps[step], [&](Location& location) {
      const auto [node, within] = homes[location.slot];
      Place& place = places[node];
      if (place.in_arena && place.first == step) {
        place.offset = arena.take(rounded(node));
        place.first = static_cast<std::size_t>(-1);  // taken
      }
      if (place.in_arena && place.last == step) {
        ended.insert({std::max(resting.until(node), step), node});
        ended_bytes += rounded(node);
        place.last = static_cast<std::size_t>(-1);
      }
      location = {place.slot, location.offset + within + place.offset};
    });
    while (!ended.empty() && (ended.begin()->first <= step || ended_bytes > kMostResting)) {
      const std::uint32_t node = ended.begin()->second;
      arena.give_back(places[node].offset, rounded(node));
      ended_bytes -= rounded(node);
      ended.erase(ended.begin());
    }
  }
  plan.arena_bytes = static_cast<std::size_t>(arena.size());
  drop_idle_copies(program, plan);
}

}  // namespace lamina

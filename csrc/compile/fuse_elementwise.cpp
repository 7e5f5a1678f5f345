// Pass: groups elementwise nodes into single passes over memory.
//
// Nodes are visited in creation order. A node joins the groups of its operands if nothing outside has read them yet
// (they are "open"): then the whole group can run where its last member stands. Reading from outside closes a group.
// A reduction joins the group of its operand, whose elements it takes from the registers; its own result goes to
// memory, and reading that closes the group. Tests: tests/cpp/test_fuse.cpp.
//
// In the end small groups of one shape run as one, although they have nothing to do with each other, as the updates of
// many biases: setting a pass up takes longer than these elements.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "compile/iteration_space.h"
#include "compile/passes.h"

namespace lamina {

namespace {

constexpr std::size_t kLargestGroup = 48;  // keeps registers and tiles within L1 and L2
constexpr std::int64_t kSmall = 512;       // elements of a group that joins others: a tile

struct Group {
  const Shape* shape;
  bool open;
  std::vector<std::uint32_t> members;
  std::optional<ReducedSpace> reduced;  // the same for all reductions of a group
  std::uint32_t read_at = kNone;        // from outside, first
};

bool may_join(const Node& node) { return node.is_elementwise() && node.needed && node.made_by == kNone; }

// Reductions whose results can be combined from those of parts.
bool is_mergeable(Reduce kernel) {
  return kernel == Reduce::sum || kernel == Reduce::prod || kernel == Reduce::amax || kernel == Reduce::amin;
}

std::optional<ReducedSpace> space_of_reduction(const Program& program, const Node& node) {
  if (node.family() != Family::kReduce || !is_mergeable(static_cast<Reduce>(row(node.op).kernel.member))) return {};
  const Shape* shape = program[node.operands[0]].shape;
  if (shape->numel() == 0) return {};
  return reduced_space(shape->dims(), node.attribute->values());
}

// Down the columns of what goes to memory anyway and stays in the cache: the reduction is better off alone, where
// threads that share the rows need not meet before the next step (see share_steps.cpp).
bool is_better_alone(const Node& reduced, const ReducedSpace& space) {
  constexpr std::int64_t kLeast = 1 << 10, kMost = 1 << 14;  // elements
  std::int64_t count = reduced.shape->numel();
  return space.inner > 1 && reduced.uses > 1 && count >= kLeast && count <= kMost;
}

bool may_differ(const std::optional<ReducedSpace>& a, const std::optional<ReducedSpace>& b) {
  return a && b && !(*a == *b);
}

// A small group joins the next one of its shape that runs before anybody reads the first.
void join_small_groups(Program& program, std::vector<Group>& groups) {
  std::vector<std::uint32_t> in_order;
  for (std::uint32_t number = 0; number < groups.size(); ++number)
    if (groups[number].shape->numel() <= kSmall && !groups[number].members.empty() && !groups[number].reduced)
      in_order.push_back(number);
  std::sort(in_order.begin(), in_order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return groups[a].members.back() < groups[b].members.back(); });
  std::unordered_map<const Shape*, std::uint32_t> latest;
  for (std::uint32_t number : in_order) {
    Group& group = groups[number];
    auto [found, fresh] = latest.try_emplace(group.shape, number);
    Group& before = groups[std::exchange(found->second, number)];
    if (fresh || before.read_at <= group.members.back()) continue;
    if (before.members.size() + group.members.size() > kLargestGroup) continue;
    for (std::uint32_t member : before.members) program[member].group = number;
    group.members.insert(group.members.end(), before.members.begin(), before.members.end());
    std::sort(group.members.begin(), group.members.end());
    group.read_at = std::min(group.read_at, before.read_at);
    before.members.clear();
  }
}

}  // namespace

std::vector<std::vector<std::uint32_t>> fuse_elementwise(Program& program) {
  std::vector<Group> groups;
  auto group_of = [&](std::uint32_t node) { return program[program[node].owner].group; };
  // Only a whole result, read as it is, can come from a register: not through a view, and no reduction's.
  auto in_register = [&](std::uint32_t node) { return program[node].owner == node && may_join(program[node]); };
  for (std::uint32_t index = 0; index < program.nodes.size(); ++index) {
    Node& node = program[index];
    if (node.kind != Node::Kind::kOp || !node.needed || node.owner != index) continue;
    std::uint32_t home = kNone;
    if (may_join(node)) {
      for (std::uint32_t operand : node.operands) {
        std::uint32_t group = in_register(operand) ? program[operand].group : kNone;
        if (group == kNone || !groups[group].open || groups[group].shape != node.shape || group == home) continue;
        if (program[operand].shape != node.shape) continue;
        if (groups[group].members.size() + (home == kNone ? 0 : groups[home].members.size()) >= kLargestGroup) continue;
        if (home == kNone) {
          home = group;
          continue;
        }
        if (may_differ(groups[group].reduced, groups[home].reduced)) continue;
        if (!groups[home].reduced) groups[home].reduced = groups[group].reduced;
        for (std::uint32_t member : groups[group].members) program[member].group = home;
        auto& members = groups[home].members;
        members.insert(members.end(), groups[group].members.begin(), groups[group].members.end());
        std::sort(members.begin(), members.end());
        groups[group].members.clear();
        groups[group].open = false;
      }
      if (home == kNone) {
        home = static_cast<std::uint32_t>(groups.size());
        groups.push_back({node.shape, true, {}, {}});
      }
    } else if (auto space = space_of_reduction(program, node);
               space && node.made_by == kNone && in_register(node.operands[0])) {
      Group& group = groups[program[node.operands[0]].group];
      bool joins = group.open && !may_differ(group.reduced, space) && group.members.size() < kLargestGroup;
      if (joins && !is_better_alone(program[node.operands[0]], *space)) {
        home = program[node.operands[0]].group;
        group.reduced = space;
      }
    }
    auto close = [&](std::uint32_t operand) {
      std::uint32_t group = group_of(operand);
      bool inside = group == home && in_register(operand);
      if (group == kNone || inside) return;
      groups[group].open = false;
      groups[group].read_at = std::min(groups[group].read_at, index);
    };
    visit_read(node, close);
    if (home == kNone) continue;
    if (!groups[home].open) {  // an operand is a view of a member: it must be in memory first
      home = static_cast<std::uint32_t>(groups.size());
      groups.push_back({node.shape, true, {}, {}});
    }
    node.group = home;
    groups[home].members.push_back(index);
  }
  join_small_groups(program, groups);
  std::vector<std::vector<std::uint32_t>> result;
  std::vector<std::uint32_t> renumbered(groups.size(), kNone);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].members.empty()) continue;
    renumbered[i] = static_cast<std::uint32_t>(result.size());
    result.push_back(std::move(groups[i].members));
  }
  for (Node& node : program.nodes)
    if (node.group != kNone) node.group = renumbered[node.group];
  return result;
}

}  // namespace lamina

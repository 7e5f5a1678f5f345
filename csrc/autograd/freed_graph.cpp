// Where the graphs of freed nodes are kept, and the search through them.
#include "autograd/freed_graph.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace lamina {

namespace {

constexpr std::uint64_t kNode = std::uint64_t{1} << 63, kLeafNode = std::uint64_t{1} << 62;
constexpr std::size_t kUsualTrail = 256;

// A leaf that was updated in place since is still the same leaf.
std::uint64_t identity(const Value* value) {
  return kNode | (value->leaf ? kLeafNode | value->leaf->number : value->sequence);
}

// What `freed_by` stands for. More graphs than it can count are forgotten, and their nodes lead anywhere.
constexpr std::size_t kForgotten = std::numeric_limits<decltype(Value::freed_by)>::max();
struct Places {
  std::vector<FreedGraph::Ptr> graphs{nullptr};  // 0: of nodes that are not freed
  std::vector<std::uint16_t> empty;
};
Places& places() {
  static auto* all = new Places;  // values may outlive static objects
  return *all;
}

std::uint16_t place_for(const FreedGraph::Ptr& graph) {
  auto& [graphs, empty] = places();
  if (!empty.empty()) {
    const std::uint16_t place = empty.back();
    empty.pop_back();
    graphs[place] = graph;
    return place;
  }
  if (graphs.size() == kForgotten) return kForgotten;
  graphs.push_back(graph);
  return static_cast<std::uint16_t>(graphs.size() - 1);
}

// Null: not known.
const FreedGraph::Ptr& graph_of(const Value* freed) {
  return places().graphs[freed->freed_by == kForgotten ? 0 : freed->freed_by];
}

}  // namespace

// Iteratively, however many walks lead to each other.
FreedGraph::~FreedGraph() {
  auto dying = std::move(older_);
  while (!dying.empty()) {
    const Ptr graph = std::move(dying.back().second);
    dying.pop_back();
    if (graph.use_count() == 1) std::ranges::move(std::exchange(graph->older_, {}), std::back_inserter(dying));
  }
}

void FreedGraph::add_node(const Value* node) {
  if (trail_.empty()) trail_.reserve(kUsualTrail);
  trail_.push_back(identity(node));
  if (node->freed_by) older_.emplace_back(trail_.back(), graph_of(node));
}

void FreedGraph::note_freed(const Ptr& graph, Value* node) {
  if (graph->place_ == 0) {
    set_freed_observer(note_end);
    graph->place_ = place_for(graph);
  }
  node->freed_by = graph->place_;
  ++graph->living_;
}

void FreedGraph::note_end(const Value* node) {
  if (node->freed_by == kForgotten) return;
  Ptr& graph = places().graphs[node->freed_by];
  if (--graph->living_ != 0) return;
  places().empty.push_back(graph->place_);
  graph->place_ = 0;
  Ptr().swap(graph);
}

FreedPaths::FreedPaths(std::span<Value* const> inputs) : oldest_(std::numeric_limits<std::uint64_t>::max()) {
  for (const Value* input : inputs) {
    wanted_.insert(identity(input));
    oldest_ = std::min(oldest_, input->leaf ? 0 : identity(input));
  }
}

FreedPaths::Known::Known(const FreedGraph& graph) {
  for (std::size_t at = 0; at < graph.trail_.size(); ++at) {
    if (!(graph.trail_[at] & kNode)) continue;
    places.emplace(graph.trail_[at], at);
    nodes.push_back(graph.trail_[at]);
  }
}

void FreedPaths::push_edges(const Visit& from) {
  const std::vector<std::uint64_t>& trail = from.graph->trail_;
  const Known& known = known_.try_emplace(from.graph, *from.graph).first->second;
  for (std::size_t at = known.places.at(from.node) + 1; at < trail.size() && !(trail[at] & kNode); ++at)
    pending_.push_back({from.graph, known.nodes[trail[at]]});
}

bool FreedPaths::lead_on_from(const Value* freed) {
  const FreedGraph* graph = graph_of(freed).get();
  if (!graph) return true;
  push_edges({graph, identity(freed)});
  while (!pending_.empty()) {
    const Visit visit = pending_.back();
    pending_.pop_back();
    if (wanted_.contains(visit.node)) return true;
    if (visit.node < oldest_ || !known_.at(visit.graph).visited.insert(visit.node).second) continue;
    push_edges(visit);
    for (const auto& [node, older] : visit.graph->older_) {
      if (node != visit.node) continue;
      if (!older) return true;
      push_edges({older.get(), node});
    }
  }
  return false;
}

}  // namespace lamina

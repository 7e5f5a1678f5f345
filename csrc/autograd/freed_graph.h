// What a walk without retain_graph went through, as numbers: a freed node has lost its operands, and a later walk for
// the gradients of chosen values must still know whether a path to them leads through it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "graph/value.h"

namespace lamina {

// Lives as long as a node that was freed in its walk, or as a younger graph that leads to such a node.
class FreedGraph {
 public:
  using Ptr = std::shared_ptr<FreedGraph>;
  ~FreedGraph();

  // Nodes in the order of their numbers, from 0 on, each before its edges to others' numbers.
  void add_node(const Value* node);
  void add_edge(std::uint32_t number) { trail_.push_back(number); }
  // `node` was freed on the way through `graph`.
  static void note_freed(const Ptr& graph, Value* node);

 private:
  friend class FreedPaths;
  static void note_end(const Value* node);

  std::vector<std::uint64_t> trail_;                  // nodes' identities and, after each, its edges
  std::vector<std::pair<std::uint64_t, Ptr>> older_;  // nodes that had been freed before, and where their edges are
  std::uint32_t living_ = 0;                          // nodes that were freed in this walk and exist
  std::uint16_t place_ = 0;                           // those nodes' `freed_by`
};

// The search for paths from freed nodes to `inputs`.
class FreedPaths {
 public:
  explicit FreedPaths(std::span<Value* const> inputs);
  // Does one begin at the node, and not end there? A search that has found one is over.
  bool lead_on_from(const Value* freed);

 private:
  struct Visit {
    const FreedGraph* graph;
    std::uint64_t node;
  };
  // A graph that the search has come to.
  struct Known {
    explicit Known(const FreedGraph& graph);
    std::unordered_map<std::uint64_t, std::size_t> places;  // of nodes, in the trail
    std::vector<std::uint64_t> nodes;                       // by their numbers
    std::unordered_set<std::uint64_t> visited;
  };
  void push_edges(const Visit& from);

  std::unordered_set<std::uint64_t> wanted_;
  std::uint64_t oldest_;  // of what is wanted
  std::unordered_map<const FreedGraph*, Known> known_;
  std::vector<Visit> pending_;
};

}  // namespace lamina

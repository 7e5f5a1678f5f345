// The values that a walk over the gradient graph visits, newest first, and their gradients so far.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autograd/freed_graph.h"
#include "graph/value.h"
#include "ops/gradient.h"

namespace lamina {

// Each value has a number, its `mark`, in this walk.
class Walk {
 public:
  // Stops at `ends`. A leaf comes right behind the oldest of its readers: as soon as its gradient is complete. Only a
  // walk that `frees` may call note_freed.
  Walk(std::span<Value* const> roots, std::span<Value* const> ends, bool frees);

  // Writes the numbers; again after an observer may have walked the graph itself.
  void stamp() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i].value->mark = static_cast<std::uint32_t>(i);
    walks_seen_ = ++g_walks;
  }
  void stamp_if_disturbed() {
    if (walks_seen_ != g_walks) stamp();
  }

  std::size_t size() const { return nodes_.size(); }
  std::uint64_t id() const { return id_; }
  bool selective() const { return selective_; }
  Value* node(std::size_t number) const { return nodes_[number].value.get(); }
  bool wanted(const Value* value) const { return nodes_[value->mark].wanted; }
  // Is the gradient of one of its operands wanted?
  bool leads_on(std::size_t number) const { return nodes_[number].leads_on; }
  static bool is_among(const Value* node, std::span<Value* const> values) {
    return std::any_of(values.begin(), values.end(), [&](Value* value) { return same(node, value); });
  }
  bool reaches(const Value* value) const {
    return std::ranges::any_of(nodes_, [&](const Node& node) { return node.wanted && same(node.value.get(), value); });
  }
  bool visits(const Value* value) const {
    return value->mark < nodes_.size() && nodes_[value->mark].value.get() == value;
  }

  // Keeps only what lies on a path to one of `inputs`.
  void restrict_to(std::span<Value* const> inputs);
  void note_freed(Value* node) { FreedGraph::note_freed(graph_, node); }

  // A leaf that was updated in place since is still the same leaf.
  static bool same(const Value* node, const Value* input) {
    return node == input || (node->leaf && node->leaf == input->leaf);
  }

  void accumulate(const Value* value, ValuePtr gradient) {
    ValuePtr& sum = nodes_[value->mark].gradient;
    sum = sum ? build::add(sum, gradient) : std::move(gradient);
  }
  void accumulate_part(const Value* value, GradientPart part) { parts_[value->mark].push_back(std::move(part)); }
  // All that was accumulated for it, or null.
  ValuePtr take(std::size_t number);
  // An output may come to the walk several times: as it was returned, and as it was saved for the function's gradient.
  void accumulate_output(const Value* function, std::size_t number, ValuePtr gradient) {
    ValuePtr& sum = outputs(function)[number];
    sum = sum ? build::add(sum, gradient) : std::move(gradient);
  }
  // A function has a gradient for each of its outputs.
  std::vector<ValuePtr>& outputs(const Value* function) {
    auto& gradients = outputs_[function];
    gradients.resize(static_cast<std::size_t>((*function->attribute)[0]));
    return gradients;
  }

 private:
  struct Node {
    ValuePtr value, gradient;
    bool wanted, leads_on;
  };
  std::vector<Node> nodes_;
  std::unordered_map<const Value*, std::vector<ValuePtr>> outputs_;
  std::unordered_map<std::size_t, std::vector<GradientPart>> parts_;  // by number
  FreedGraph::Ptr graph_;
  std::uint64_t id_ = ++g_started;
  bool selective_ = false;
  std::uint64_t walks_seen_ = 0;
  static inline std::uint64_t g_started = 0;
  static inline std::uint64_t g_walks = 0;
};

}  // namespace lamina

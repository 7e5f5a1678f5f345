// Collecting and ordering the values of a walk.
#include "autograd/walk.h"

#include "autograd/gradient_parts.h"

namespace lamina {

namespace {

// A value beside what it is ordered by, which is then no further look into memory.
struct Found {
  std::uint64_t order;
  Value* value;
};
constexpr std::size_t kUsualNodes = 64;

}  // namespace

Walk::Walk(std::span<Value* const> roots, std::span<Value* const> ends, bool frees) {
  std::vector<Found> found;
  found.reserve(kUsualNodes);
  if (frees) graph_ = std::make_shared<FreedGraph>();
  auto is_end = [ends](const Value* node) { return std::ranges::find(ends, node) != ends.end(); };
  auto add = [&found](Value* value, std::uint64_t order) {
    if (value->mark < found.size() && found[value->mark].value == value) {
      if (value->leaf) found[value->mark].order = std::min(found[value->mark].order, order);
      return;
    }
    value->mark = static_cast<std::uint32_t>(found.size());
    found.push_back({value->leaf ? order : 2 * value->sequence, value});
  };
  for (Value* root : roots) add(root, 2 * root->sequence);
  for (std::size_t next = 0; next < found.size(); ++next) {
    const Value* node = found[next].value;
    if (graph_) graph_->add_node(node);
    if (node->leaf || is_end(node)) continue;
    for (Value* input : node->operands()) {
      if (!input || !input->requires_grad()) continue;
      add(input, 2 * node->sequence - 1);
      if (graph_) graph_->add_edge(input->mark);
    }
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return a.order != b.order ? a.order > b.order : a.value->sequence > b.value->sequence;
  });
  auto leads_on = [](const Value* operand) { return operand && operand->requires_grad(); };
  nodes_.reserve(found.size());
  for (const Found& one : found) {
    const bool leads = !one.value->leaf && !is_end(one.value) &&
                       (one.value->freed_by || std::ranges::any_of(one.value->operands(), leads_on));
    nodes_.push_back({ValuePtr(one.value), nullptr, true, leads});
  }
  stamp();
}

void Walk::restrict_to(std::span<Value* const> inputs) {
  selective_ = true;
  FreedPaths freed(inputs);
  auto is_wanted = [&](const Value* operand) {
    return operand && operand->requires_grad() && visits(operand) && wanted(operand);
  };
  for (Node& node : std::views::reverse(nodes_)) {
    if (node.leads_on)
      node.leads_on = node.value->freed_by ? freed.lead_on_from(node.value.get())
                                           : std::ranges::any_of(node.value->operands(), is_wanted);
    node.wanted = node.leads_on || is_among(node.value.get(), inputs);
  }
}

ValuePtr Walk::take(std::size_t number) {
  ValuePtr gradient = std::move(nodes_[number].gradient);
  if (parts_.empty()) return gradient;
  const auto parts = parts_.find(number);
  if (parts == parts_.end()) return gradient;
  return with_parts(node(number), std::move(gradient), parts->second);
}

}  // namespace lamina

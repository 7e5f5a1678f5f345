// The walk over the gradient graph, without recursion: collect, order by creation, visit once each.
#include "autograd/gradients.h"

#include <algorithm>

#include "graph/scope.h"
#include "ops/gradient.h"
#include "support/check.h"

namespace lamina {

namespace {

// The values a walk visits, each with its number and its gradient so far. A value's `mark` is its number in this walk.
class Walk {
 public:
  explicit Walk(std::span<Value* const> roots) {
    nodes_.reserve(kUsualNodes);
    for (Value* root : roots) add(root);
    for (std::size_t next = 0; next < nodes_.size(); ++next) {
      Value* node = nodes_[next].get();
      if (node->leaf) continue;
      for (Value* input : node->operands())
        if (input && input->requires_grad()) add(input);
    }
    std::sort(nodes_.begin(), nodes_.end(),
              [](const ValuePtr& a, const ValuePtr& b) { return a->sequence > b->sequence; });
    stamp();
    gradients_.resize(nodes_.size());
    wanted_.resize(nodes_.size(), true);
  }

  // Writes the numbers; again after an observer may have walked the graph itself.
  void stamp() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i]->mark = static_cast<std::uint32_t>(i);
    walks_seen_ = ++g_walks;
  }
  void stamp_if_disturbed() {
    if (walks_seen_ != g_walks) stamp();
  }

  std::size_t size() const { return nodes_.size(); }
  Value* node(std::size_t number) const { return nodes_[number].get(); }
  ValuePtr& gradient(std::size_t number) { return gradients_[number]; }
  bool wanted(const Value* value) const { return wanted_[value->mark]; }
  bool visits(const Value* value) const { return value->mark < nodes_.size() && nodes_[value->mark].get() == value; }

  // Keeps only what lies on a path to one of `inputs`.
  void restrict_to(std::span<Value* const> inputs) {
    std::fill(wanted_.begin(), wanted_.end(), false);
    for (const ValuePtr& node : nodes_)
      for (Value* input : inputs)
        if (same(node.get(), input)) wanted_[node->mark] = true;
    for (std::size_t number = nodes_.size(); number-- > 0;) {
      Value* node = nodes_[number].get();
      if (node->leaf) continue;
      for (Value* operand : node->operands())
        if (operand && operand->requires_grad() && wanted_[operand->mark]) wanted_[number] = true;
    }
  }

  bool wants_operand(const Value* node) const {
    for (Value* operand : node->operands())
      if (operand && operand->requires_grad() && wanted(operand)) return true;
    return false;
  }
  // A leaf that was updated in place since is still the same leaf.
  static bool same(const Value* node, const Value* input) {
    return node == input || (node->leaf && node->leaf == input->leaf);
  }

  void accumulate(const Value* value, const ValuePtr& gradient) {
    ValuePtr& sum = gradients_[value->mark];
    sum = sum ? build::add(sum, gradient) : gradient;
  }

 private:
  void add(Value* value) {
    if (visits(value)) return;
    value->mark = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back(value);
  }

  static constexpr std::size_t kUsualNodes = 64;

  std::vector<ValuePtr> nodes_;
  std::vector<ValuePtr> gradients_;
  std::vector<bool> wanted_;
  std::uint64_t walks_seen_ = 0;
  static inline std::uint64_t g_walks = 0;
};

bool reads_numbers(const OpRow& entry) { return (entry.reads[0] | entry.reads[1] | entry.reads[2]) != 0; }

[[noreturn]] void fail_freed(const Value* node) {
  std::string path = scope_path(node->scope);
  fail(ErrorKind::kRuntime,
       "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
       "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
       "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
       "saved tensors after calling backward. The second pass reached ",
       grad_fn_name(node), path.empty() ? "" : " (in " + path + ")", ".");
}

void visit(Value* node, ValuePtr gradient, Walk& walk) {
  if (node->has(kHistoryFreed)) fail_freed(node);
  const OpRow& entry = row(node->op);
  ValuePtr small[3];
  std::vector<ValuePtr> large;
  std::span<ValuePtr> results(small);
  if (node->input_count > 3) {
    large.resize(node->input_count);
    results = large;
  }
  Gradient rule(node, std::move(gradient), results);
  entry.gradient(rule);
  for (std::size_t i = 0; i < node->input_count; ++i) {
    Value* input = node->inputs[i];
    if (!results[i] || !walk.wanted(input)) continue;
    walk.accumulate(input, results[i]);
  }
}

}  // namespace

std::vector<ValuePtr> gradients(std::span<Value* const> roots, std::span<const ValuePtr> seeds,
                                const GradientOptions& options, GradientObserver& observer) {
  for (Value* root : roots)
    check(root->requires_grad(), "element 0 of tensors does not require grad and does not have a grad_fn");
  Walk walk(roots);
  bool selective = !options.inputs.empty();
  if (selective) walk.restrict_to(options.inputs);
  // A freed node is found before anything is recorded or changed.
  for (std::size_t number = 0; number < walk.size(); ++number) {
    Value* node = walk.node(number);
    if (node->has(kHistoryFreed) && !node->leaf && walk.wanted(node)) fail_freed(node);
  }

  std::vector<ValuePtr> results(options.inputs.size());
  GradMode mode(options.create_graph);
  for (std::size_t i = 0; i < roots.size(); ++i) walk.accumulate(roots[i], seeds[i]);
  for (std::size_t number = 0; number < walk.size(); ++number) {
    Value* node = walk.node(number);
    ValuePtr gradient = std::move(walk.gradient(number));
    if (!gradient || !walk.wanted(node)) continue;
    if (node->has(kHasHooks)) {
      gradient = observer.hooked(node, std::move(gradient));
      walk.stamp_if_disturbed();
    }
    if (selective) {
      for (std::size_t i = 0; i < results.size(); ++i)
        if (Walk::same(node, options.inputs[i])) results[i] = results[i] ? build::add(results[i], gradient) : gradient;
    }
    if (node->leaf) {
      if (!selective) {
        observer.leaf(node, std::move(gradient));
        walk.stamp_if_disturbed();
      }
      continue;
    }
    if (!walk.wants_operand(node)) continue;
    visit(node, std::move(gradient), walk);
    if (!options.retain_graph && reads_numbers(row(node->op))) {
      node->flags |= kHistoryFreed;
      drop_inputs(node);
    }
  }
  return results;
}

}  // namespace lamina

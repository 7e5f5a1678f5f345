// The walk over the gradient graph, without recursion: collect, order by creation (but leaves), visit once each.
#include "autograd/gradients.h"

#include <algorithm>
#include <unordered_set>

#include "autograd/walk.h"
#include "graph/scope.h"
#include "support/check.h"

namespace lamina {

namespace {

// The thread's innermost walk.
thread_local Walk* t_current = nullptr;
struct Current {
  Walk* before;
  explicit Current(Walk& walk) : before(std::exchange(t_current, &walk)) {}
  ~Current() { t_current = before; }
};

bool reads_numbers(const OpRow& entry) { return (entry.reads[0] | entry.reads[1] | entry.reads[2]) != 0; }

// Room for one result an operand.
class Results {
 public:
  explicit Results(std::size_t count) : large_(count > 3 ? count : 0) {
    if (!large_.empty()) span_ = large_;
  }
  std::span<ValuePtr> span() { return span_; }

 private:
  ValuePtr small_[3];
  std::vector<ValuePtr> large_;
  std::span<ValuePtr> span_ = small_;
};

void visit(Value* node, std::span<ValuePtr> gradients, Walk& walk, const GradientOptions& options,
           GradientObserver& observer) {
  bool hooked = node->has(kHasHooks);
  Results room(node->input_count);
  std::span<ValuePtr> results = room.span();
  if (hooked) observer.before(node, gradients);
  if (node->has(kHistoryFreed)) fail_freed(node);
  // What Python does from here on may free the node's operands. Those that get gradients are the walk's, too.
  std::vector<Value*> kept;
  std::span<Value* const> operands = node->operands();
  if (hooked || options.watched) {
    for (Value* operand : operands) kept.push_back(operand->requires_grad() ? operand : nullptr);
    operands = kept;
  }
  GradientPart part{};
  if (node->op == kFunction) {
    observer.call(node, gradients, results, options.retain_graph);
  } else {
    const bool seen = hooked || options.watched;  // whole, as PyTorch shows it
    Gradient rule(node, gradients[0], results, hooked ? &observer : nullptr, kRequiresGrad, seen ? nullptr : &part);
    row(node->op).gradient(rule);
  }
  if (hooked || options.watched) observer.after(node, results.first(node->input_count), gradients);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    Value* input = operands[i];
    walk.stamp_if_disturbed();
    if (!results[i] || !input || !input->requires_grad() || !walk.wanted(input)) continue;
    walk.accumulate(input, std::move(results[i]));
  }
  if (part.numbers && walk.wanted(operands[0])) walk.accumulate_part(operands[0], std::move(part));
}

void visit_watched(Value* node, std::span<ValuePtr> gradients, Walk& walk, const GradientOptions& options,
                   GradientObserver& observer) {
  try {
    visit(node, gradients, walk, options, observer);
  } catch (...) {
    if (options.watched) observer.failed(node);
    throw;
  }
}

void visit_function(Value* node, bool leads_on, Walk& walk, const GradientOptions& options,
                    GradientObserver& observer) {
  std::vector<ValuePtr> gradients = std::move(walk.outputs(node));
  bool reached =
      std::any_of(gradients.begin(), gradients.end(), [](const ValuePtr& g) { return static_cast<bool>(g); });
  if (reached && leads_on) visit_watched(node, gradients, walk, options, observer);
}

}  // namespace

std::vector<ValuePtr> gradients(std::span<Value* const> roots, std::span<const ValuePtr> seeds,
                                const GradientOptions& options, GradientObserver& observer) {
  for (Value* root : roots)
    check(root->requires_grad(), "element 0 of tensors does not require grad and does not have a grad_fn");
  std::span<Value* const> ends = options.cut_at_inputs ? options.inputs : std::span<Value* const>();
  Walk walk(roots, ends, !options.retain_graph);
  Current current(walk);
  bool selective = !options.inputs.empty();
  if (selective) walk.restrict_to(options.inputs);
  // A freed node is found before anything is recorded or changed.
  for (std::size_t number = 0; number < walk.size(); ++number) {
    Value* node = walk.node(number);
    if (node->has(kHistoryFreed) && walk.leads_on(number)) fail_freed(node);
  }

  std::vector<ValuePtr> results(options.inputs.size());
  GradMode mode(options.create_graph);
  ScopeGuard scope(in_phase(current_scope(), Phase::kBackward));
  for (std::size_t i = 0; i < roots.size(); ++i) walk.accumulate(roots[i], seeds[i]);
  for (std::size_t number = 0; number < walk.size(); ++number) {
    Value* node = walk.node(number);
    if (!node->leaf) enter_scope(in_phase(node->scope, Phase::kBackward));  // a leaf comes after its last reader
    if (node->op == kFunction) {
      if (walk.wanted(node)) visit_function(node, walk.leads_on(number), walk, options, observer);
      continue;
    }
    ValuePtr gradient = walk.take(number);
    if (!gradient || !walk.wanted(node)) continue;
    bool end = options.cut_at_inputs && walk.is_among(node, options.inputs);
    if ((node->has(kHasHooks) || node->leaf) && !end) {
      gradient = observer.hooked(node, std::move(gradient));
      walk.stamp_if_disturbed();
      if (node->has(kHistoryFreed) && walk.leads_on(number)) fail_freed(node);  // by the hook
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
    if (end) continue;
    if (!walk.leads_on(number)) {
      if (options.hooks_before_inputs && node->has(kHasHooks) && !function_of(node))
        observer.before(node, {&gradient, 1});
      continue;
    }
    if (Value* function = function_of(node)) {
      walk.accumulate_output(function, static_cast<std::size_t>((*node->attribute)[0]), std::move(gradient));
      continue;
    }
    visit_watched(node, {&gradient, 1}, walk, options, observer);
    if (!options.retain_graph && reads_numbers(row(node->op))) {
      node->flags |= kHistoryFreed;
      if (node->has(kHasHooks)) observer.freed(node);
      if (node->has(kPerExample)) continue;  // what stands for an example is still to be recorded for all
      walk.note_freed(node);
      drop_inputs(node);
    }
  }
  return results;
}

std::vector<ValuePtr> gradients_of_operands(Value* node, std::span<ValuePtr> outputs, GradientObserver& observer) {
  if (node->has(kHistoryFreed)) fail_freed(node);
  std::vector<ValuePtr> results(node->input_count);
  if (node->op == kFunction) {
    observer.call(node, outputs, results, true);
  } else if (outputs[0]) {
    check(outputs[0]->shape == node->shape, grad_fn_name(node), " got a gradient of shape ",
          to_string(outputs[0]->shape->dims(), '[', ']'), ", expected ", to_string(node->shape->dims(), '[', ']'));
    Gradient rule(node, outputs[0], results, &observer);
    row(node->op).gradient(rule);
  }
  return results;
}

void fail_freed(const Value* node) {
  std::string path = scope_path(node->scope);
  fail(ErrorKind::kRuntime,
       "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
       "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
       "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
       "saved tensors after calling backward. The second pass reached ",
       grad_fn_name(node), path.empty() ? "" : " (in " + path + ")", ".");
}

std::vector<Value*> frontier(std::span<Value* const> roots, std::uint64_t start) {
  std::vector<Value*> pending, found;
  std::unordered_set<const Value*> seen;
  auto visit = [&](Value* value) {
    if (!value || !value->requires_grad() || !seen.insert(value).second) return;
    (value->leaf || value->op == kPlaceholder || value->sequence <= start ? found : pending).push_back(value);
  };
  for (Value* root : roots) visit(root);
  while (!pending.empty()) {
    Value* value = pending.back();
    pending.pop_back();
    for (Value* operand : value->operands()) visit(operand);
  }
  return found;
}

bool depends_on_others(std::span<Value* const> roots, std::span<Value* const> leaves) {
  std::vector<Value*> pending;
  std::unordered_set<const Value*> seen;
  auto visit = [&](Value* value) {
    if (value && value->requires_grad() && seen.insert(value).second) pending.push_back(value);
  };
  for (Value* root : roots) visit(root);
  while (!pending.empty()) {
    Value* value = pending.back();
    pending.pop_back();
    if (value->leaf || value->op == kPlaceholder) {
      bool known = std::any_of(leaves.begin(), leaves.end(), [&](Value* leaf) { return Walk::same(value, leaf); });
      if (!known) return true;
      continue;
    }
    for (Value* operand : value->operands()) visit(operand);
  }
  return false;
}

ValuePtr gradient_of(const ValuePtr& input, std::span<const ValuePtr> roots, std::span<const ValuePtr> seeds) {
  struct Unobserved : GradientObserver {
    void leaf(Value*, ValuePtr) override {}
    ValuePtr hooked(Value*, ValuePtr gradient) override { return gradient; }
  } observer;
  std::vector<Value*> from;
  std::vector<ValuePtr> given;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    if (!seeds[i]) continue;
    from.push_back(roots[i].get());
    given.push_back(seeds[i]);
  }
  Value* end = input.get();
  GradientOptions options;
  options.retain_graph = true;
  options.create_graph = grad_enabled();
  options.inputs = {&end, 1};
  options.cut_at_inputs = true;
  return from.empty() ? nullptr : gradients(from, given, options, observer)[0];
}

std::uint64_t current_walk() { return t_current ? t_current->id() : 0; }
bool current_walk_reaches(const Value* value) { return t_current && t_current->reaches(value); }

bool current_walk_is_selective() { return t_current && t_current->selective(); }

void GradientObserver::call(Value*, std::span<ValuePtr>, std::span<ValuePtr>, bool) {
  throw std::logic_error("a function's gradient was asked of an observer that has none");
}

Value* function_of(const Value* value) {
  if (value->op != static_cast<OpId>(Op::rebase)) return nullptr;
  Value* history = value->operands()[1];
  return history && history->op == kFunction ? history : nullptr;
}

}  // namespace lamina

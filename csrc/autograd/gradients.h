// Reverse-mode differentiation: values in, values out. Nothing is computed here, gradients are recorded like any op.
#pragma once

#include <span>
#include <vector>

#include "graph/value.h"
#include "ops/gradient.h"

namespace lamina {

// Who wants to know of gradients while they are made. Called in reverse creation order. A missing gradient is null.
class GradientObserver : public SavedNumbers {
 public:
  // The full gradient of a leaf.
  virtual void leaf(Value* value, ValuePtr gradient) = 0;
  // The full gradient of a leaf, or of a value that has kHasHooks; returns it, or what replaces it.
  virtual ValuePtr hooked(Value* value, ValuePtr gradient) = 0;
  // Before and after the gradient rule of a node that has kHasHooks: its outputs' gradients, and what the rule made of
  // them for the operands. Both may be replaced. With options.watched, `after` is called for every node.
  virtual void before(Value*, std::span<ValuePtr> /*gradients*/) {}
  virtual void after(Value*, std::span<ValuePtr> /*results*/, std::span<const ValuePtr> /*gradients*/) {}
  // The gradient rule of a kFunction node: a result for each operand.
  virtual void call(Value* function, std::span<ValuePtr> gradients, std::span<ValuePtr> results, bool retain_graph);
  // No pass will go through the node, which has kHasHooks, again.
  virtual void freed(Value*) {}
  // With options.watched: an exception passes through the node's rule.
  virtual void failed(Value*) {}
};

struct GradientOptions {
  bool retain_graph = false;  // else what the walk went through can not be walked again
  bool create_graph = false;  // gradients can be differentiated themselves
  bool watched = false;       // the observer is told of every node
  // If not empty: only these values' gradients are wanted, and only what lies between is visited. Their gradients
  // are returned; leaves that are not among them are not reported.
  std::span<Value* const> inputs = {};
  // What is called before the rules of `inputs` is called even if these do not run.
  bool hooks_before_inputs = false;
  // These values are where the walk ends, and its observer does not hear of them.
  bool cut_at_inputs = false;
};

// seeds[i] is the cotangent of roots[i], of the same shape and dtype. Returns a gradient (or null) for each of
// options.inputs. Raises if a root needs no gradient or the graph was freed by an earlier walk.
std::vector<ValuePtr> gradients(std::span<Value* const> roots, std::span<const ValuePtr> seeds,
                                const GradientOptions& options, GradientObserver& observer);

// The gradient of `input` alone, or null: a walk within a walk, of operations whose hooks are not called. It goes
// through the roots that have a seed, keeps the graph, and is recorded for a further one where gradients are enabled.
ValuePtr gradient_of(const ValuePtr& input, std::span<const ValuePtr> roots, std::span<const ValuePtr> seeds);

// The gradients of a node's operands, given those of its outputs (one, or as many as the function has): its rule alone.
std::vector<ValuePtr> gradients_of_operands(Value* node, std::span<ValuePtr> outputs, GradientObserver& observer);

// Forward mode: the derivative of a node in the direction of its operands' tangents (null: an operand has none, or has
// no kDual); null if the node has none itself. The rule is linear in the node's cotangent w, and so its results'
// derivative by w in the direction of the tangents is what is sought; what was recorded to get there is dead.
ValuePtr pushforward(Value* node, std::span<const ValuePtr> tangents);

// Raises PyTorch's error for a node that a pass without retain_graph went through.
[[noreturn]] void fail_freed(const Value* node);

// The values not younger than `start`, and leaves, from which `roots` come by way of younger ones.
std::vector<Value*> frontier(std::span<Value* const> roots, std::uint64_t start);

// Does any of `roots` depend on a leaf, or on an example's placeholder, other than `leaves`?
bool depends_on_others(std::span<Value* const> roots, std::span<Value* const> leaves);

// While a walk goes on, for its observer: the walk's number (0: there is none), and whether it reaches a value.
std::uint64_t current_walk();
bool current_walk_reaches(const Value* value);
bool current_walk_is_selective();  // for gradients of chosen inputs only

// The function node that a value is an output of, or null.
Value* function_of(const Value* value);

}  // namespace lamina

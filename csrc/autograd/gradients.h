// Reverse-mode differentiation: values in, values out. Nothing is computed here, gradients are recorded like any op.
#pragma once

#include <span>
#include <vector>

#include "graph/value.h"

namespace lamina {

// Who wants to know of gradients while they are made. Called in reverse creation order.
class GradientObserver {
 public:
  virtual ~GradientObserver() = default;
  // The full gradient of a leaf.
  virtual void leaf(Value* value, ValuePtr gradient) = 0;
  // The full gradient of a value that has kHasHooks; returns it, or what replaces it.
  virtual ValuePtr hooked(Value* value, ValuePtr gradient) = 0;
};

struct GradientOptions {
  bool retain_graph = false;  // else what the walk went through can not be walked again
  bool create_graph = false;  // gradients can be differentiated themselves
  // If not empty: only these values' gradients are wanted, and only what lies between is visited. Their gradients
  // are returned; leaves that are not among them are not reported.
  std::span<Value* const> inputs = {};
};

// seeds[i] is the cotangent of roots[i], of the same shape and dtype. Returns a gradient (or null) for each of
// options.inputs. Raises if a root needs no gradient or the graph was freed by an earlier walk.
std::vector<ValuePtr> gradients(std::span<Value* const> roots, std::span<const ValuePtr> seeds,
                                const GradientOptions& options, GradientObserver& observer);

}  // namespace lamina

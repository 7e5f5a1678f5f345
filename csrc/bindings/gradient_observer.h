// What Python does during a walk: hooks, functions' own gradients, accumulation into .grad, the search for NaN.
#pragma once

#include "autograd/gradients.h"
#include "bindings/node_state.h"

namespace lamina::bindings {

class Observer : public GradientObserver {
 public:
  explicit Observer(const GradientOptions& options) : create_graph_(options.create_graph) {}

  void leaf(Value* value, ValuePtr gradient) override;
  ValuePtr hooked(Value* value, ValuePtr gradient) override;
  void before(Value* node, std::span<ValuePtr> gradients) override;
  void after(Value* node, std::span<ValuePtr> results, std::span<const ValuePtr> gradients) override;
  void call(Value* function, std::span<ValuePtr> gradients, std::span<ValuePtr> results, bool retain_graph) override;
  ValuePtr saved(Value* node, std::size_t place) override;
  void freed(Value* node) override;
  void failed(Value* node) override;

  // Adds to a tensor's .grad, in place unless the gradient shall have a gradient itself.
  // leaf: the first gradient takes on its order in memory.
  void accumulate(PyObject** grad, ValuePtr gradient, const Value* leaf = nullptr) const;

 private:
  bool create_graph_;
};

// Looking for anomalies: every node's Python stack is kept, and every result of a gradient rule is read if `check_nan`.
void set_anomaly_mode(bool enabled, bool check_nan);
bool anomaly_mode();
void keep_stack(Value* value);
bool anomaly_checks_nan();
// Sees to it that recording is observed if, and only if, somebody needs it: the search for anomalies, or hooks on saved
// tensors.
void observe_recording();

}  // namespace lamina::bindings

// What Python attaches to a node of the gradient graph: hooks, and the object that stands for the node.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "bindings/python.h"
#include "graph/value.h"

namespace lamina::bindings {

enum class HookKind {
  kTensor,       // sees, and may replace, the gradient of one tensor
  kBefore,       // before the node's gradient rule: all outputs' gradients
  kAfter,        // after it: the operands' gradients too
  kAccumulated,  // a leaf, after its .grad has changed
  kMissing       // kTensor, for an output of a function to which no gradient came
};

// Of an operation with several results: its operand's gradient from theirs, of which some may be null.
using OutputsRule = std::function<ValuePtr(std::span<const ValuePtr>)>;

struct NodeState : LeafState {
  struct Hook {
    HookKind kind;
    Object callable;
    std::int64_t output = 0;  // kMissing: of which output
    std::int64_t twin = 0;    // the hook that is removed with this one
  };
  struct Saved {
    std::size_t place;
    Object packed, unpack;
  };
  std::map<std::int64_t, Hook> hooks;  // in order of registration
  Object retained_by;                  // weak reference to the tensor whose .grad is kept
  std::vector<Saved> saved;            // what the rule reads and hooks keep
  Object metadata;                     // the dict of grad_fn.metadata
  Object recorded_at;                  // the Python stack, if anomalies are looked for
  Object function;                     // of a kFunction node: its context, which is also its grad_fn
  OutputsRule rule;                    // of a kFunction node without a context
  PyObject* object = nullptr;          // the node's grad_fn while one exists; not owned

  ~NodeState() override;
  // retain_grad() follows the tensor; hooks stay where they are.
  void moved(Value* from, Value* to) override;
};

// Where a leaf's gradient lives: shared by all the values that the leaf goes through.
struct LeafGrad : NodeState {
  PyObject* grad = nullptr;
  PyObject* tensor = nullptr;  // whose leaf it is, while that exists; not owned
  // What was recorded before the tensor took on other memory (set_) is not its graph any more, but its gradient still
  // goes to the tensor: that leaf, of which this one says nothing but where it is.
  IntrusivePtr<LeafState> successor;
  ~LeafGrad() override { Py_XDECREF(grad); }
};

// A leaf's state, or its successor's.
LeafGrad* leaf_of(const Value* value);
// The state of a value's node, or null; and made if there is none.
NodeState* state_if_any(const Value* value);
NodeState& state_of(Value* value);

std::int64_t add_hook(Value* node, HookKind kind, PyObject* callable);
// Does nothing if the hook, or its node, is gone.
void remove_hook(std::int64_t id);

// For the garbage collector: the Python objects that a state holds.
int visit_state(NodeState* state, visitproc visit, void* arg);
void clear_state(NodeState* state);

}  // namespace lamina::bindings

// The life of what Python attaches to nodes.
#include "bindings/node_state.h"

#include <unordered_map>
#include <utility>

#include "autograd/gradients.h"
#include "bindings/grad_fn.h"

namespace lamina::bindings {

namespace {

std::int64_t g_next_hook = 0;
// Where each hook is, so that a handle needs not keep the graph alive.
std::unordered_map<std::int64_t, NodeState*>& places() {
  static auto* all = new std::unordered_map<std::int64_t, NodeState*>;
  return *all;
}

}  // namespace

std::int64_t add_hook(Value* node, HookKind kind, PyObject* callable) {
  std::int64_t id = ++g_next_hook, twin = 0;
  Value* function = kind == HookKind::kTensor ? function_of(node) : nullptr;
  auto add = [&](Value* to, std::int64_t number, NodeState::Hook hook) {
    NodeState& state = state_of(to);
    state.hooks.emplace(number, std::move(hook));
    places().emplace(number, &state);
    to->flags |= kHasHooks;
  };
  if (function) {
    twin = ++g_next_hook;
    add(function, twin, {HookKind::kMissing, Object::borrowed(callable), (*node->attribute)[0]});
  }
  add(node, id, {kind, Object::borrowed(callable), 0, twin});
  return id;
}

void remove_hook(std::int64_t id) {
  auto place = places().find(id);
  if (place == places().end()) return;
  NodeState* state = place->second;
  places().erase(place);
  auto removed = state->hooks.extract(id);  // dies here, when both lists are consistent again
  if (removed && removed.mapped().twin) remove_hook(removed.mapped().twin);
}

NodeState::~NodeState() {
  for (auto& [id, hook] : hooks) places().erase(id);
  if (function) forget_node(function.get());
}

void NodeState::moved(Value*, Value* to) {
  if (!retained_by) return;
  state_of(to).retained_by = std::move(retained_by);
  to->flags |= kHasHooks;
}

LeafGrad* leaf_of(const Value* value) {
  auto* leaf = static_cast<LeafGrad*>(value->leaf);
  return leaf->successor ? static_cast<LeafGrad*>(leaf->successor.get()) : leaf;
}

NodeState* state_if_any(const Value* value) {
  return value->leaf ? leaf_of(value) : static_cast<NodeState*>(value->hooks);
}

NodeState& state_of(Value* value) {
  if (!value->leaf && !value->hooks) attach_hooks(value, LeafPtr::adopt(new NodeState));
  return *state_if_any(value);
}

int visit_state(NodeState* state, visitproc visit, void* arg) {
  for (auto& [id, hook] : state->hooks) Py_VISIT(hook.callable.get());
  for (auto& kept : state->saved) {
    Py_VISIT(kept.packed.get());
    Py_VISIT(kept.unpack.get());
  }
  Py_VISIT(state->metadata.get());
  return 0;
}

void clear_state(NodeState* state) {
  for (auto& [id, hook] : state->hooks) places().erase(id);
  auto hooks = std::move(state->hooks);  // dies here, when the state is consistent again
  auto saved = std::move(state->saved);
  Object metadata = std::move(state->metadata);
}

}  // namespace lamina::bindings

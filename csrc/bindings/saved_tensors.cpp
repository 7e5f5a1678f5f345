// Hooks on saved tensors. The graph goes on holding the values themselves: it is made of them.
#include "bindings/saved_tensors.h"

#include <algorithm>

#include "autograd/gradients.h"
#include "bindings/grad_fn.h"
#include "bindings/gradient_observer.h"
#include "bindings/registry.h"
#include "bindings/scalars.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// The hooks of the innermost context, borrowed from it.
thread_local PyObject* t_pack = nullptr;
thread_local PyObject* t_unpack = nullptr;
int g_threads_with_hooks = 0;
thread_local PyObject* t_log = nullptr;  // a list, borrowed
int g_threads_with_log = 0;

Value* value_at(Value* node, std::size_t place) { return place == kResultPlace ? node : node->inputs[place]; }

void pack(Value* node, std::size_t place, PyObject* with, PyObject* unpack) {
  GradMode mode(false);
  Object tensor(wrap_quietly(engine::Variable(build::detach(ValuePtr(value_at(node, place))))));
  Object packed(checked(PyObject_CallOneArg(with, tensor.get())));
  check(engine::changes_of(as_tensor(tensor.get())->variable) == 0,
        "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can not be "
        "modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if you need "
        "to perform in-place operations on the input to a pack hook.");
  state_of(node).saved.push_back({place, std::move(packed), Object::borrowed(unpack)});
  node->flags |= kHasHooks;
}

std::size_t place_named(const std::string& name) {
  if (name == "self") return 0;
  return name == "other" ? 1 : name == "result" ? kResultPlace : kResultPlace + 1;
}

// The node and the place that `_saved_<name>` names. Raises AttributeError if the rule reads no such thing.
std::pair<Value*, std::size_t> saved_place(const Arguments& a) {
  if (!is_grad_fn(a.object(0))) a.fail_type(0, "Node");
  Value* node = node_of(a.object(0));
  std::size_t place = place_named(a.text(1));
  if (node && node->has(kHistoryFreed)) fail_freed(node);
  check(node && saves(node, place), "no such saved tensor");
  return {node, place};
}

// Python numbers, and what a gradient's rule computed of nothing else, are not anybody's tensors.
bool is_number(const Value* value, int depth = 4) {
  if (value->op == kScalar) return true;
  if (depth == 0 || value->op < kFirstOp || row(value->op).kernel.family != Family::kElementwise) return false;
  auto operands = value->operands();
  return std::ranges::all_of(operands, [=](const Value* x) { return x && is_number(x, depth - 1); });
}

}  // namespace

bool saves(const Value* node, std::size_t place) {
  if (node->op < kFirstOp || place > kResultPlace || node->leaf) return false;
  if (place != kResultPlace && (place >= node->input_count || is_number(node->inputs[place]))) return false;
  const OpRow& entry = row(node->op);
  unsigned reads = 0;
  for (std::size_t i = 0; i < node->input_count; ++i)
    if (node->inputs[i]->requires_grad()) reads |= entry.reads[std::min<std::size_t>(i, 2)];
  return (reads >> place & 1) != 0;
}

bool packs_saved() { return g_threads_with_hooks != 0; }

void pack_all_saved(Value* node) {
  if (!t_pack || node->has(kPerExample)) return;
  for (std::size_t place = 0; place <= kResultPlace; ++place)
    if (saves(node, place)) pack(node, place, t_pack, t_unpack);
}

bool logs_saved() { return g_threads_with_log != 0; }

namespace {

void log_saved(const Value* value, const char* by) {
  Object shape(size_object(value->shape->dims()));
  Object entry(checked(Py_BuildValue("(sOO)", by, shape.get(), dtype_object(value->dtype))));
  checked(PyList_Append(t_log, entry.get()));
}

}  // namespace

void log_all_saved(Value* node) {
  if (!t_log) return;
  for (std::size_t place = 0; place <= kResultPlace; ++place)
    if (saves(node, place)) log_saved(value_at(node, place), row(node->op).name);
}

ValuePtr unpack_saved(Value* node, std::size_t place) {
  NodeState* state = state_if_any(node);
  if (!state) return nullptr;
  for (auto& kept : state->saved) {
    if (kept.place != place) continue;
    Object packed = kept.packed, unpack = kept.unpack;
    Object tensor(checked(PyObject_CallOneArg(unpack.get(), packed.get())));
    if (!is_tensor(tensor.get()))
      fail(ErrorKind::kType, "Output of saved tensor unpack_hook expected to be a Tensor but got result of type ",
           printed_type(tensor.get()));
    Value* original = value_at(node, place);
    ValuePtr numbers = value_of(tensor.get());
    check(numbers->shape == original->shape && numbers->dtype == original->dtype,
          "a saved tensor's unpack_hook returned a tensor of another shape or dtype than was saved");
    if (numbers->requires_grad()) numbers = build::detach(numbers);
    return original->requires_grad() ? build::rebase(numbers, ValuePtr(original)) : numbers;
  }
  return nullptr;
}

// This thread's hooks from now on (None: none); returns those until now.
LAMINA_FUNCTION(kModule, _exchange_saved_hooks, "pack, unpack") {
  Object before(t_pack ? checked(PyTuple_Pack(2, t_pack, t_unpack)) : Object::borrowed(Py_None).release());
  g_threads_with_hooks += a.given(0) - (t_pack != nullptr);
  t_pack = a.given(0) ? a.object(0) : nullptr;
  t_unpack = a.given(0) ? a.object(1) : nullptr;
  observe_recording();
  return before.release();
}

// This thread's log from now on, a list (None: none); returns that until now. Entries: (operation, shape, dtype).
LAMINA_FUNCTION(kModule, _exchange_saved_log, "log") {
  Object before = Object::borrowed(t_log ? t_log : Py_None);
  g_threads_with_log += a.given(0) - (t_log != nullptr);
  t_log = a.given(0) ? a.object(0) : nullptr;
  observe_recording();
  return before.release();
}
// A function keeps it for its gradient.
LAMINA_FUNCTION(kModule, _log_saved, "tensor") {
  if (t_log) log_saved(a.tensor(0).get(), "Function");
  Py_RETURN_NONE;
}

LAMINA_FUNCTION(kModule, _saves, "node, name") {
  if (!is_grad_fn(a.object(0))) a.fail_type(0, "Node");
  Value* node = node_of(a.object(0));
  return PyBool_FromLong(node && (node->has(kHistoryFreed) || saves(node, place_named(a.text(1)))));
}
// What the rule of `node` will read; `name`: self, other or result.
LAMINA_FUNCTION(kModule, _saved_of, "node, name") {
  auto [node, place] = saved_place(a);
  ValuePtr value = unpack_saved(node, place);
  return wrap(value ? value : ValuePtr(value_at(node, place)));
}
// Packs it now, by hooks of its own.
LAMINA_FUNCTION(kModule, _pack_saved, "node, name, pack, unpack") {
  auto [node, place] = saved_place(a);
  for (auto& kept : state_of(node).saved)
    check(kept.place != place, "hooks have already been set on this saved tensor");
  pack(node, place, a.object(2), a.object(3));
  Py_RETURN_NONE;
}

}  // namespace lamina::bindings

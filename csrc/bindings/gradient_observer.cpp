// Calling Python from a walk. Nothing may run while gradients are half recorded, so tensors are wrapped quietly: a
// budget is looked at when the walk has ended.
#include "bindings/gradient_observer.h"

#include <algorithm>
#include <vector>

#include "bindings/grad_fn.h"
#include "bindings/saved_tensors.h"
#include "bindings/tensor_object.h"
#include "engine/index.h"
#include "graph/scope.h"
#include "ops/build.h"
#include "ops/meta.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

bool g_anomaly = false, g_check_nan = true;  // of all threads, as in PyTorch

Object tensor_or_none(const ValuePtr& value) {
  return value ? Object(wrap_quietly(engine::Variable(value))) : Object::borrowed(Py_None);
}

Object as_tuple(std::span<const ValuePtr> values) {
  Object tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(values.size()))));
  for (std::size_t i = 0; i < values.size(); ++i)
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), tensor_or_none(values[i]).release());
  return tuple;
}

std::string brackets(const Shape* shape) { return to_string(shape->dims(), '[', ']'); }

void check_replacement(const ValuePtr& old, const ValuePtr& fresh) {
  check(!old || old->shape == fresh->shape, "hook has changed the size of value: expected ",
        old ? brackets(old->shape) : "", ", got ", brackets(fresh->shape));
  check(!old || old->dtype == fresh->dtype, "hook has changed the type of value (was ",
        name_of(old ? old->dtype : fresh->dtype), " got ", name_of(fresh->dtype), ")");
}

// What a node hook returned, in place of what it was given.
void replace(std::span<ValuePtr> values, PyObject* result) {
  if (result == Py_None) return;
  Object single(is_tensor(result) ? checked(PyTuple_Pack(1, result)) : nullptr);
  PyObject* tuple = single ? single.get() : result;
  if (!PyTuple_Check(tuple))
    fail(ErrorKind::kType, "expected hook to return None, a Tensor or a tuple of them, got ", printed_type(result));
  check(PyTuple_GET_SIZE(tuple) == static_cast<Py_ssize_t>(values.size()),
        "hook has returned an incorrect number of values (got ", PyTuple_GET_SIZE(tuple), ", but expected ",
        values.size(), ")");
  for (std::size_t i = 0; i < values.size(); ++i) {
    PyObject* item = PyTuple_GET_ITEM(tuple, static_cast<Py_ssize_t>(i));
    if (item == Py_None) {
      values[i].reset();
      continue;
    }
    if (!is_tensor(item)) fail(ErrorKind::kType, "expected hook to return Tensors, got ", printed_type(item));
    check_replacement(values[i], value_of(item));
    values[i] = value_of(item);
  }
}

// Calls `with_each` for the hooks of one kind, in order; a hook may remove itself meanwhile.
template <typename Call>
void for_hooks(const Value* node, HookKind kind, Call&& with_each) {
  NodeState* state = state_if_any(node);
  if (!state || state->hooks.empty()) return;
  std::vector<Object> callables;
  for (auto& [id, hook] : state->hooks)
    if (hook.kind == kind) callables.push_back(hook.callable);
  for (const Object& callable : callables) with_each(callable.get());
}

void call_tensor_hook(PyObject* hook, ValuePtr& gradient) {
  Object tensor = tensor_or_none(gradient);
  Object result(checked(PyObject_CallOneArg(hook, tensor.get())));
  if (result.get() == Py_None) return;
  if (!is_tensor(result.get()))
    fail(ErrorKind::kType, "expected hook to return None or a Tensor, got ", printed_type(result.get()));
  check_replacement(gradient, value_of(result.get()));
  gradient = value_of(result.get());
}

// The hooks of outputs that the walk did not reach.
void call_missing(const Value* function, std::span<ValuePtr> gradients) {
  std::vector<NodeState::Hook> hooks;
  for (auto& [id, hook] : state_if_any(function)->hooks)
    if (hook.kind == HookKind::kMissing && !gradients[static_cast<std::size_t>(hook.output)]) hooks.push_back(hook);
  for (const NodeState::Hook& hook : hooks)
    call_tensor_hook(hook.callable.get(), gradients[static_cast<std::size_t>(hook.output)]);
}

// A function's gradient for one operand: of its shape and dtype, summed where it was broadcast.
ValuePtr fitted(const Value* function, std::size_t i, PyObject* gradient, const char* name) {
  const Value* operand = function->inputs[i];
  if (gradient == Py_None) return nullptr;
  if (!is_tensor(gradient))
    fail(ErrorKind::kType, "expected Variable or None (got ", printed_type(gradient), ") from ", name);
  ValuePtr value = value_of(gradient);
  if (!operand->requires_grad()) return nullptr;
  if (value->shape != operand->shape) {
    bool fits = false;
    try {
      fits = broadcast(operand->shape, value->shape) == value->shape;
    } catch (const Error&) {
    }
    check(fits, "Function ", name, " returned an invalid gradient at index ", i, " - got ", brackets(value->shape),
          " but expected shape compatible with ", brackets(operand->shape));
    value = build::sum_to(value, operand->shape);
  }
  return build::cast(value, operand->dtype);
}

std::string node_name(Value* node) {
  Object grad_fn(grad_fn_object(ValuePtr(node)));
  Object name(checked(PyObject_CallMethod(grad_fn.get(), "name", nullptr)));
  return PyUnicode_AsUTF8(name.get());
}
std::string where_recorded(const Value* node) {
  std::string path = scope_path(node->scope);
  return path.empty() ? "" : " (in " + path + ")";
}

}  // namespace

void Observer::accumulate(PyObject** grad, ValuePtr gradient, const Value* leaf) const {
  if (!*grad) {
    ValuePtr own = engine::unshared(std::move(gradient));
    if (leaf && ((own->flags | leaf->flags) & kReordered)) show_strides(own.get(), engine::base_strides(leaf));
    *grad = wrap_quietly(engine::Variable(std::move(own)));
    return;
  }
  Object held = Object::borrowed(*grad);  // another thread may drop it while this one waits for numbers
  ValuePtr sum = build::add(value_of(held.get()), gradient);
  if (create_graph_) {
    Object old(std::exchange(*grad, wrap_quietly(engine::Variable(std::move(sum)))));
  } else {
    engine::assign(as_tensor(held.get())->variable, std::move(sum));
  }
}

void Observer::leaf(Value* value, ValuePtr gradient) {
  if (gradient->device() != value->device()) fail_no_data();
  LeafGrad* state = leaf_of(value);
  if (state->hooks.empty()) {
    accumulate(&state->grad, std::move(gradient), value);
    return;
  }
  LeafPtr held(state);
  before(value, {&gradient, 1});
  if (!gradient) return;
  Object given = as_tuple({&gradient, 1}), none(checked(PyTuple_New(0)));
  bool first = !state->grad;
  accumulate(&state->grad, std::move(gradient), value);
  if (first) given = Object(checked(PyTuple_Pack(1, state->grad)));  // the gradient itself has become .grad
  GradMode mode(create_graph_);
  for_hooks(value, HookKind::kAccumulated, [&](PyObject* hook) {
    Object tensor(state->tensor ? Object::borrowed(state->tensor)
                                : Object(wrap_quietly(engine::Variable(ValuePtr(value)))));
    Object result(checked(PyObject_CallOneArg(hook, tensor.get())));
    check(result.get() == Py_None, "hooks should return None.");
  });
  for_hooks(value, HookKind::kAfter, [&](PyObject* hook) {
    Object result(checked(PyObject_CallFunctionObjArgs(hook, none.get(), given.get(), nullptr)));
    replace({}, result.get());
  });
}

ValuePtr Observer::hooked(Value* value, ValuePtr gradient) {
  NodeState* state = state_if_any(value);
  if (state->hooks.empty() && !state->retained_by) return gradient;
  GradMode mode(create_graph_);
  for_hooks(value, HookKind::kTensor, [&](PyObject* hook) { call_tensor_hook(hook, gradient); });
  if (!state->retained_by) return gradient;
  Object tensor(checked(PyObject_CallNoArgs(state->retained_by.get())));  // None: the tensor is gone
  if (tensor.get() != Py_None) accumulate(&as_tensor(tensor.get())->grad, gradient);
  return gradient;
}

void Observer::before(Value* node, std::span<ValuePtr> gradients) {
  GradMode mode(create_graph_);
  if (node->op == kFunction) call_missing(node, gradients);
  for_hooks(node, HookKind::kBefore, [&](PyObject* hook) {
    Object given = as_tuple(gradients);
    Object result(checked(PyObject_CallOneArg(hook, given.get())));
    replace(gradients, result.get());
  });
}

void Observer::after(Value* node, std::span<ValuePtr> results, std::span<const ValuePtr> gradients) {
  GradMode mode(create_graph_);
  if (g_anomaly && g_check_nan) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!results[i] || !is_differentiable(results[i]->dtype) || results[i]->has(kPerExample)) continue;
      if (!engine::all_within(build::cast(build::unary(Op::isnan, results[i]), DType::kFloat32), 0, 0)) {
        fail(ErrorKind::kRuntime, "Function '", node_name(node), "' returned nan values in its ", i, "th output.",
             where_recorded(node));
      }
    }
  }
  for_hooks(node, HookKind::kAfter, [&](PyObject* hook) {
    Object made = as_tuple(results), given = as_tuple(gradients);
    Object result(checked(PyObject_CallFunctionObjArgs(hook, made.get(), given.get(), nullptr)));
    replace(results, result.get());
  });
}

void Observer::call(Value* function, std::span<ValuePtr> gradients, std::span<ValuePtr> results, bool retain_graph) {
  GradMode mode(create_graph_);
  if (NodeState* state = state_if_any(function); !state->function) {
    results[0] = state->rule(gradients);
    return;
  }
  Object context = state_if_any(function)->function, given = as_tuple(gradients);
  Object flag(PyBool_FromLong(retain_graph));
  Object made(checked(PyObject_CallMethod(context.get(), "_run_backward", "OO", given.get(), flag.get())));
  for (std::size_t i = 0; i < results.size() && i < function->input_count; ++i)
    results[i] =
        fitted(function, i, PyTuple_GET_ITEM(made.get(), static_cast<Py_ssize_t>(i)), Py_TYPE(context.get())->tp_name);
}

ValuePtr Observer::saved(Value* node, std::size_t place) {
  GradMode mode(create_graph_);
  return unpack_saved(node, place);
}

void Observer::freed(Value* node) {
  NodeState* state = state_if_any(node);
  if (state) auto saved = std::move(state->saved);
}

// Says where the operation was recorded, and lets the exception go on.
void Observer::failed(Value* node) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  NodeState* state = state_if_any(node);
  std::string where = node_name(node) + where_recorded(node);
  const char* stack = state && state->recorded_at ? PyUnicode_AsUTF8(state->recorded_at.get()) : nullptr;
  std::string said =
      stack ? text("Error detected in ", where, ". Traceback of forward call that caused the error:\n", stack)
            : text("Error detected in ", where,
                   ". No forward pass information available. Enable detect anomaly during forward pass for more "
                   "information.");
  if (PyErr_WarnEx(PyExc_UserWarning, said.c_str(), 1) < 0) {
    // Warnings are errors, but the error that there is goes first.
    PyErr_Clear();
    PySys_FormatStderr("%s\n", said.c_str());
  }
  PyErr_Restore(type, value, trace);
}

void keep_stack(Value* value) {
  PyGILState_STATE lock = PyGILState_Ensure();
  Object module(PyImport_ImportModule("traceback"));
  Object lines(module ? PyObject_CallMethod(module.get(), "format_stack", nullptr) : nullptr);
  Object empty(PyUnicode_FromString(""));
  Object joined(lines && empty ? PyUnicode_Join(empty.get(), lines.get()) : nullptr);
  if (joined)
    state_of(value).recorded_at = std::move(joined);
  else
    PyErr_Clear();
  PyGILState_Release(lock);
}

namespace {

void recorded(Value* value) {
  if (g_anomaly) keep_stack(value);
  if (packs_saved()) pack_all_saved(value);
  if (logs_saved()) log_all_saved(value);
}

}  // namespace

void observe_recording() { set_record_observer(g_anomaly || packs_saved() || logs_saved() ? recorded : nullptr); }

void set_anomaly_mode(bool enabled, bool check_nan) {
  g_anomaly = enabled;
  g_check_nan = check_nan;
  observe_recording();
}
bool anomaly_mode() { return g_anomaly; }
bool anomaly_checks_nan() { return g_check_nan; }

}  // namespace lamina::bindings

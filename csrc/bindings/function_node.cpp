// Rows of the registry: nodes whose gradient is written in Python. The context object is made and kept by Python
// (autograd/function.py); the node owns it.
#include "bindings/function_node.h"

#include <set>
#include <string>
#include <vector>

#include "autograd/gradients.h"
#include "bindings/grad_fn.h"
#include "bindings/gradient_observer.h"
#include "bindings/registry.h"
#include "engine/flush.h"
#include "graph/scope.h"
#include "ops/build.h"
#include "runtime/buffer.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// Programs see the node as an input without elements.
StoragePtr no_numbers() {
  static auto* storage = new StoragePtr(runtime::allocate(0));
  return *storage;
}

ValuePtr make_node(std::span<const ValuePtr> inputs, std::size_t outputs) {
  std::vector<Value*> operands;
  unsigned flags = kRequiresGrad;
  for (const ValuePtr& value : inputs) {
    operands.push_back(value.get());
    flags |= value->flags & kPerExample;
  }
  ValuePtr node = make_value(kFunction, operands, Shape::of({0}), DType::kFloat32,
                             Attribute::of({static_cast<std::int64_t>(outputs)}));
  attach_storage(node.get(), no_numbers());
  node->scope = current_scope();
  node->flags |= static_cast<std::uint16_t>(flags);
  if (anomaly_mode()) keep_stack(node.get());
  return node;
}

// The numbers of `value` as output `number` of the function.
ValuePtr output_of(const ValuePtr& value, const ValuePtr& node, std::int64_t number) {
  ValuePtr numbers = value->requires_grad() ? build::detach(value) : value;
  return record(Op::rebase, {numbers.get(), node.get()}, numbers->shape, numbers->dtype, Attribute::of({number}));
}

// A label outlives the process.
const char* label_named(const std::string& name) {
  static auto* labels = new std::set<std::string>;
  return labels->insert(name).first->c_str();
}

// The tensor itself gets the history, or, if it was an argument, a view of it. Views are not to be changed in place
// then: the history that their base would get would not go through the function.
PyObject* with_history(PyObject* tensor, ValuePtr value, bool returned) {
  engine::Variable& variable = as_tensor(tensor)->variable;
  if (returned) {
    engine::Variable view = engine::view_of(variable, {{Op::reshape, value->shape}}, value);
    engine::guard_function_view(view);
    if (!variable.is_view()) variable.cell->handle = tensor;
    view.value = std::move(value);
    return wrap_quietly(std::move(view));
  }
  if (variable.is_view()) {
    engine::guard_function_view(variable);
    variable.value = std::move(value);
    return Object::borrowed(tensor).release();
  }
  variable.value = std::move(value);
  if (variable.cell) {
    variable.cell->value = variable.value;
    variable.seen = ++variable.cell->version;
  }
  return Object::borrowed(tensor).release();
}

bool contains(PyObject* list, PyObject* item) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i)
    if (PyList_GET_ITEM(list, i) == item) return true;
  return false;
}

}  // namespace

std::vector<ValuePtr> outputs_of_one_node(const ValuePtr& operand, std::span<const ValuePtr> values, const char* label,
                                          OutputsRule rule) {
  ValuePtr node = make_node({&operand, 1}, values.size());
  set_label(node.get(), label);
  state_of(node.get()).rule = std::move(rule);
  std::vector<ValuePtr> outputs;
  for (std::size_t i = 0; i < values.size(); ++i)
    outputs.push_back(output_of(values[i], node, static_cast<std::int64_t>(i)));
  return outputs;
}

namespace {

// The gradient of `operand` from which `results` were computed.
OutputsRule through(const ValuePtr& operand, std::vector<ValuePtr> results) {
  return [operand, results = std::move(results)](std::span<const ValuePtr> given) {
    return gradient_of(operand, results, given);
  };
}

}  // namespace

// `results`, which are computed of `operand` together, as the outputs of one node; `label` is a grad_fn's.
LAMINA_FUNCTION(kModule, _one_node, "operand, results, label") {
  ValuePtr operand = a.tensor(0);
  std::vector<ValuePtr> results = a.tensors(1), numbers;
  if (!grad_enabled() || !operand->requires_grad() || operand->has(kPerExample)) return wrap_tuple(std::move(results));
  for (const ValuePtr& result : results) numbers.push_back(build::detach(result));
  const char* label = label_named(a.text(2));
  return wrap_tuple(outputs_of_one_node(operand, numbers, label, through(operand, std::move(results))));
}

// Gives `outputs`, a list with None for what is not differentiable, a history: one node with `inputs` as operands.
// Tensors of the list `dirty` were changed in place; those of the list `returned` are inputs that were returned.
LAMINA_FUNCTION(kModule, _function_outputs, "context, inputs, outputs, dirty, returned") {
  if (!is_grad_fn(a.object(0))) a.fail_type(0, "Node");
  auto count = static_cast<std::size_t>(PyList_GET_SIZE(a.object(2)));
  ValuePtr node = make_node(a.tensors(1), count);
  state_of(node.get()).function = Object::borrowed(a.object(0));
  set_node(a.object(0), node.get());
  set_label(node.get(), label_named(Py_TYPE(a.object(0))->tp_name));
  Object results(checked(PyTuple_New(static_cast<Py_ssize_t>(count))));
  for (std::size_t i = 0; i < count; ++i) {
    PyObject* output = PyList_GET_ITEM(a.object(2), static_cast<Py_ssize_t>(i));
    PyObject* result = nullptr;
    if (!is_tensor(output)) {
      result = Object::borrowed(Py_None).release();
    } else if (contains(a.object(3), output)) {
      engine::check_assignable(as_tensor(output)->variable);
      engine::assign(as_tensor(output)->variable, output_of(value_of(output), node, static_cast<std::int64_t>(i)));
      result = Object::borrowed(output).release();
    } else {
      result = with_history(output, output_of(value_of(output), node, static_cast<std::int64_t>(i)),
                            contains(a.object(4), output));
    }
    PyTuple_SET_ITEM(results.get(), static_cast<Py_ssize_t>(i), result);
  }
  engine::flush_if_due();
  return results.release();
}

// Numbers that were saved of output `number`, with its history while the function's node exists.
LAMINA_FUNCTION(kModule, _saved_output, "context, number, numbers") {
  Value* node = node_of(a.object(0));
  if (!node) return wrap(a.tensor(2));
  GradMode mode(true);
  return wrap(output_of(a.tensor(2), ValuePtr(node), a.integer(1)));
}

// The first tensor's numbers with the second one's history.
LAMINA_FUNCTION(kModule, _rebased, "numbers, history") {
  const ValuePtr& history = a.tensor(1);
  ValuePtr numbers = a.tensor(0)->requires_grad() ? build::detach(a.tensor(0)) : a.tensor(0);
  return wrap(history->requires_grad() ? build::rebase(numbers, history) : numbers);
}
// A view that a function has returned.
LAMINA_FUNCTION(kModule, _guard_function_view, "tensor") {
  engine::guard_function_view(a.variable(0));
  Py_RETURN_NONE;
}

// What a recomputation starts from: the values from which `tensors` come that are not younger than `start`.
LAMINA_FUNCTION(kModule, _sequence, "") { return PyLong_FromUnsignedLongLong(current_sequence()); }
LAMINA_FUNCTION(kModule, _frontier, "tensors, start") {
  std::vector<ValuePtr> tensors = a.tensors(0), found;
  std::vector<Value*> roots;
  for (const ValuePtr& tensor : tensors) roots.push_back(tensor.get());
  for (Value* value : frontier(roots, static_cast<std::uint64_t>(a.integer(1)))) found.emplace_back(value);
  return wrap_tuple(std::move(found));
}

// Another tensor with the value that this one has now: what is done to it in place later does not show.
LAMINA_FUNCTION(kModule, _same_value, "tensor") { return wrap(a.tensor(0)); }

}  // namespace lamina::bindings

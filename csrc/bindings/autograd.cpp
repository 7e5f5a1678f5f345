// Differentiation from Python: backward, gradients of chosen inputs, hooks.
#include "bindings/autograd.h"

#include <vector>

#include "bindings/grad_fn.h"
#include "bindings/gradient_observer.h"
#include "bindings/nested_walks.h"
#include "bindings/registry.h"
#include "bindings/scalars.h"
#include "bindings/warning.h"
#include "engine/flush.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// d(root)/d(root): 1 for a single number, else what the caller gives.
std::vector<ValuePtr> seeds_for(const std::vector<ValuePtr>& roots, PyObject* given) {
  std::vector<ValuePtr> seeds;
  bool listed = given && given != Py_None && !is_tensor(given);
  Object items(listed ? checked(PySequence_Fast(given, "grad_tensors must be a Tensor or a sequence of Tensors"))
                      : nullptr);
  if (listed)
    check(static_cast<std::size_t>(PySequence_Fast_GET_SIZE(items.get())) == roots.size(), "got ", roots.size(),
          " tensors and ", PySequence_Fast_GET_SIZE(items.get()), " gradients");
  for (std::size_t i = 0; i < roots.size(); ++i) {
    PyObject* seed = listed ? PySequence_Fast_GET_ITEM(items.get(), static_cast<Py_ssize_t>(i)) : given;
    if (!seed || seed == Py_None) {
      check(!roots[i]->requires_grad() || roots[i]->shape->numel() == 1,
            "grad can be implicitly created only for scalar outputs");
      check(!roots[i]->requires_grad() || !is_complex(roots[i]->dtype),
            "grad can be implicitly created only for real scalar outputs but got ", kPrintedPackage, ".",
            name_of(roots[i]->dtype));
      seeds.push_back(build::full(roots[i]->shape, 1, roots[i]->dtype, roots[i]->device()));
      continue;
    }
    if (!is_tensor(seed))
      fail(ErrorKind::kType, "gradients can be either Tensors or None, but got ", printed_type(seed));
    ValuePtr value = value_of(seed);
    check(value->shape == roots[i]->shape, "Mismatch in shape: grad_output[", i, "] has a shape of ",
          size_text(value->shape->dims()), " and output[", i, "] has a shape of ", size_text(roots[i]->shape->dims()),
          ".");
    check(value->device() == roots[i]->device(), "invalid gradient at index ", i, " - expected device ",
          name_of(roots[i]->device()), " but got ", name_of(value->device()));
    seeds.push_back(build::cast(value, roots[i]->dtype));
  }
  return seeds;
}

std::vector<Value*> pointers(const std::vector<ValuePtr>& values) {
  std::vector<Value*> result;
  for (const ValuePtr& value : values) result.push_back(value.get());
  return result;
}

}  // namespace

bool retains_grad(const ValuePtr& value) {
  NodeState* state = state_if_any(value.get());
  return state && state->retained_by;
}

namespace {

// From now on each walk that comes to the tensor, which is no leaf, adds to its .grad.
void retain_gradient(PyObject* tensor) {
  Value* value = value_of(tensor).get();
  state_of(value).retained_by = Object(checked(PyWeakref_NewRef(tensor, nullptr)));
  value->flags |= kHasHooks;
}

// A walk from `roots`, with the gradients of `inputs`: all of them Tensors or grad_fns.
struct Differentiation {
  GradientOptions options;
  std::vector<ValuePtr> roots, inputs;

  std::vector<ValuePtr> run(PyObject* seeds, Observer& observer) {
    std::vector<Value*> wanted = pointers(inputs), starts = pointers(roots);
    options.inputs = wanted;
    options.watched = anomaly_mode();
    std::vector<ValuePtr> results, given = seeds_for(roots, seeds);
    run_nested([&] { results = gradients(starts, given, options, observer); });
    return results;
  }
};

// The Tensors or grad_fns that were given, or the one. A tuple of their own: an iterator is read once, and a hook may
// change a list.
Object items_from(const Arguments& a, std::size_t i) {
  return Object(checked(is_tensor(a.object(i)) ? PyTuple_Pack(1, a.object(i)) : PySequence_Tuple(a.object(i))));
}

std::vector<ValuePtr> nodes_from(const Arguments& a, std::size_t i, const Object& items) {
  std::vector<ValuePtr> values;
  for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(items.get()); ++k) {
    PyObject* item = PyTuple_GET_ITEM(items.get(), k);
    if (is_grad_fn(item) && node_of(item) && node_of(item)->op != kFunction)
      values.emplace_back(node_of(item));
    else if (is_tensor(item))
      values.push_back(value_of(item));
    else
      a.fail_type(i, "Tensor or a sequence of Tensors");
  }
  return values;
}

std::vector<ValuePtr> roots_from(const Arguments& a) {
  if (is_tensor(a.object(0))) return {a.tensor(0)};
  return nodes_from(a, 0, items_from(a, 0));
}

}  // namespace

LAMINA_FUNCTION_AS(kModule, backward_of, "backward",
                   "tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None") {
  Differentiation run;
  run.roots = roots_from(a);
  run.options.create_graph = a.flag(3, false);
  run.options.retain_graph = a.flag(2, run.options.create_graph);
  run.options.hooks_before_inputs = true;
  Object inputs = a.given(4) ? items_from(a, 4) : Object();
  if (inputs) run.inputs = nodes_from(a, 4, inputs);
  check(!a.given(4) || !run.inputs.empty(), "'inputs' argument to backward() cannot be empty.");
  for (const ValuePtr& input : run.inputs)
    check(input->requires_grad(), "One of the differentiated Tensors does not require grad");
  static bool told = false;
  if (run.options.create_graph)
    warn_once(
        told,
        "Using backward() with create_graph=True will create a reference cycle between the parameter and its "
        "gradient which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid "
        "this. If you have to use this function, make sure to reset the .grad fields of your parameters to None "
        "after use to break the cycle and avoid the leak.");
  Observer observer(run.options);
  std::vector<ValuePtr> results = run.run(a.object(1), observer);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i]) continue;
    if (run.inputs[i]->leaf) {
      observer.leaf(run.inputs[i].get(), std::move(results[i]));
      continue;
    }
    PyObject* tensor = PyTuple_GET_ITEM(inputs.get(), static_cast<Py_ssize_t>(i));
    // An edge of the graph has no .grad; its hooks were called.
    if (!is_tensor(tensor) || retains_grad(run.inputs[i])) continue;  // the walk has added it
    observer.accumulate(&as_tensor(tensor)->grad, std::move(results[i]));
    retain_gradient(tensor);
  }
  engine::flush_if_due();
  Py_RETURN_NONE;
}

LAMINA_FUNCTION_AS(kMethod, backward_method, "backward",
                   "input, gradient=None, retain_graph=None, create_graph=False, inputs=None") {
  PyObject* args[] = {a.object(0), a.object(1) ? a.object(1) : Py_None, a.object(2) ? a.object(2) : Py_None,
                      a.object(3) ? a.object(3) : Py_False, a.object(4) ? a.object(4) : Py_None};
  return checked(function_backward_of(nullptr, args, 5, nullptr));
}

LAMINA_FUNCTION_AS(kModule, grad_of, "grad",
                   "outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, allow_unused=None, "
                   "cut_at_inputs=False") {
  Differentiation run;
  run.roots = roots_from(a);
  run.inputs = nodes_from(a, 1, items_from(a, 1));
  for (const ValuePtr& input : run.inputs)
    check(input->requires_grad(), "One of the differentiated Tensors does not require grad");
  run.options.cut_at_inputs = a.flag(6, false);
  run.options.create_graph = a.flag(4, false);
  run.options.retain_graph = a.flag(3, run.options.create_graph);
  Observer observer(run.options);
  std::vector<ValuePtr> results = run.run(a.object(2), observer);
  Object tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(results.size()))));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i])
      check(a.flag(5, false), "The differentiated Tensor at index ", i,
            " appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.");
    PyObject* item = results[i] ? wrap(engine::unshared(std::move(results[i]))) : Object::borrowed(Py_None).release();
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), item);
  }
  return tuple.release();
}

namespace {

// The node behind a Tensor or a grad_fn.
Value* hooked_node(const Arguments& a) {
  PyObject* object = a.object(0);
  if (is_tensor(object)) return value_of(object).get();
  if (!is_grad_fn(object)) a.fail_type(0, "Tensor or Node");
  check(node_of(object) != nullptr, "this function has no node in the gradient graph");
  return node_of(object);
}

}  // namespace

// What names the hook to _remove_hook; the handle object is Python's. kind: as HookKind.
LAMINA_FUNCTION(kModule, _register_hook, "target, kind, hook") {
  return PyLong_FromLongLong(add_hook(hooked_node(a), static_cast<HookKind>(a.integer(1)), a.object(2)));
}
LAMINA_FUNCTION(kModule, _remove_hook, "id") {
  remove_hook(a.integer(0));
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kMethod, retain_grad, "input") {
  const ValuePtr& value = a.tensor(0);
  check(value->requires_grad(), "can't retain_grad on Tensor that has requires_grad=False");
  if (!value->leaf) retain_gradient(a.tensor_object(0));
  Py_RETURN_NONE;
}

LAMINA_FUNCTION(kModule, _allow_changes_of_saved, "allowed") {
  return PyBool_FromLong(engine::allow_changes_of_saved(a.flag(0, false)));
}
LAMINA_FUNCTION(kModule, _current_walk, "") { return PyLong_FromUnsignedLongLong(current_walk()); }
LAMINA_FUNCTION(kModule, _current_walk_is_selective, "") { return PyBool_FromLong(current_walk_is_selective()); }
LAMINA_FUNCTION(kModule, _current_walk_reaches, "tensor") {
  return PyBool_FromLong(current_walk_reaches(a.tensor(0).get()));
}

LAMINA_FUNCTION(kModule, _set_anomaly_mode, "enabled, check_nan") {
  set_anomaly_mode(a.flag(0, false), a.flag(1, true));
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, is_anomaly_enabled, "") { return PyBool_FromLong(anomaly_mode()); }
LAMINA_FUNCTION(kModule, is_anomaly_check_nan_enabled, "") { return PyBool_FromLong(anomaly_checks_nan()); }

LAMINA_FUNCTION(kModule, is_grad_enabled, "") { return PyBool_FromLong(grad_enabled()); }
LAMINA_FUNCTION(kModule, _set_grad_enabled, "enabled") {
  set_grad_enabled(a.flag(0, true));
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, _is_inference, "") { return PyBool_FromLong(inference_mode()); }
LAMINA_FUNCTION(kModule, _set_inference, "enabled") {
  set_inference_mode(a.flag(0, true));
  Py_RETURN_NONE;
}

}  // namespace lamina::bindings

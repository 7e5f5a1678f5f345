// Differentiation from Python: backward, gradients of chosen inputs, hooks.
#include "bindings/autograd.h"

#include <map>
#include <vector>

#include "autograd/gradients.h"
#include "bindings/registry.h"
#include "engine/flush.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// The hooks on one tensor's gradient, in order of registration.
struct Hooks : LeafState {
  std::map<std::int64_t, Object> callables;
  Object retained_by;  // weak reference to the tensor whose .grad is kept
};

struct GradFnObject {
  PyObject_HEAD ValuePtr value;
};
PyTypeObject* g_grad_fn_type = nullptr;

const ValuePtr& node_of(PyObject* self) { return reinterpret_cast<GradFnObject*>(self)->value; }

void grad_fn_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  reinterpret_cast<GradFnObject*>(self)->value.~ValuePtr();
  type->tp_free(self);
  Py_DECREF(type);
}
PyObject* grad_fn_get_name(PyObject* self, PyObject*) {
  return guarded([&] { return PyUnicode_FromString(grad_fn_name(node_of(self).get()).c_str()); });
}
PyObject* grad_fn_repr(PyObject* self) {
  return guarded(
      [&] { return PyUnicode_FromFormat("<%s object at %p>", grad_fn_name(node_of(self).get()).c_str(), self); });
}
PyObject* grad_fn_compare(PyObject* a, PyObject* b, int operation) {
  if (Py_TYPE(a) != Py_TYPE(b) || (operation != Py_EQ && operation != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong((node_of(a) == node_of(b)) == (operation == Py_EQ));
}
Py_hash_t grad_fn_hash(PyObject* self) {
  return static_cast<Py_hash_t>(reinterpret_cast<std::uintptr_t>(node_of(self).get()) >> 4);
}
PyObject* grad_fn_next(PyObject* self, void*) {
  return guarded([&] {
    const ValuePtr& node = node_of(self);
    Object list(checked(PyList_New(0)));
    for (Value* operand : node->leaf ? std::span<Value* const>() : node->operands()) {
      bool connected = operand && operand->requires_grad();
      Object next(connected ? grad_fn_object(ValuePtr(operand)) : Object::borrowed(Py_None).release());
      Object pair(checked(Py_BuildValue("(Oi)", next.get(), 0)));
      checked(PyList_Append(list.get(), pair.get()));
    }
    return PyList_AsTuple(list.get());
  });
}

PyMethodDef g_grad_fn_methods[] = {{"name", grad_fn_get_name, METH_NOARGS, "The operation's name."},
                                   {nullptr, nullptr, 0, nullptr}};
PyGetSetDef g_grad_fn_properties[] = {
    {"next_functions", grad_fn_next, nullptr, "The operations that made the operands, each with an index.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyObject* call_hooks(Hooks& hooks, PyObject* gradient) {
  Object current = Object::borrowed(gradient);
  auto callables = hooks.callables;  // a hook may remove itself
  for (auto& [id, callable] : callables) {
    Object result(checked(PyObject_CallOneArg(callable.get(), current.get())));
    if (result.get() == Py_None) continue;
    if (!is_tensor(result.get()))
      fail(ErrorKind::kType, "expected hook to return None or a Tensor, got ", Py_TYPE(result.get())->tp_name);
    check(value_of(result.get())->shape == value_of(current.get())->shape,
          "hook has changed the size of value: expected ", to_string(value_of(current.get())->shape->dims(), '[', ']'),
          ", got ", to_string(value_of(result.get())->shape->dims(), '[', ']'));
    current = std::move(result);
  }
  if (hooks.retained_by) {
    PyObject* tensor = PyWeakref_GetObject(hooks.retained_by.get());
    if (tensor != Py_None) {
      Object old(std::exchange(as_tensor(tensor)->grad, Object::borrowed(current.get()).release()));
    }
  }
  return current.release();
}

// Nothing may run while gradients are half recorded: a budget is looked at when the walk has ended.
PyObject* wrap_variable(ValuePtr value) { return wrap_quietly(engine::Variable(std::move(value))); }

class Observer : public GradientObserver {
 public:
  explicit Observer(bool create_graph) : create_graph_(create_graph) {}

  void leaf(Value* value, ValuePtr gradient) override {
    auto* state = static_cast<LeafGrad*>(value->leaf);
    if (!state->grad) {
      state->grad = wrap_variable(engine::unshared(std::move(gradient)));
      return;
    }
    ValuePtr sum = build::add(value_of(state->grad), gradient);
    if (create_graph_) {
      Object old(std::exchange(state->grad, wrap_variable(std::move(sum))));
    } else {
      engine::assign(as_tensor(state->grad)->variable, std::move(sum));
    }
  }

  ValuePtr hooked(Value* value, ValuePtr gradient) override {
    GradMode mode(create_graph_);
    Object tensor(wrap_variable(std::move(gradient)));
    Object result(call_hooks(*static_cast<Hooks*>(value->hooks), tensor.get()));
    return value_of(result.get());
  }

 private:
  bool create_graph_;
};

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
      seeds.push_back(build::full(roots[i]->shape, 1, roots[i]->dtype));
      continue;
    }
    if (!is_tensor(seed))
      fail(ErrorKind::kType, "gradients can be either Tensors or None, but got ", Py_TYPE(seed)->tp_name);
    ValuePtr value = value_of(seed);
    check(value->shape == roots[i]->shape, "Mismatch in shape: grad_output[", i, "] has a shape of ",
          to_string(value->shape->dims(), '[', ']'), " and output[", i, "] has a shape of ",
          to_string(roots[i]->shape->dims(), '[', ']'), ".");
    seeds.push_back(build::cast(value, roots[i]->dtype));
  }
  return seeds;
}

std::vector<ValuePtr> tensors_from(const Arguments& a, std::size_t i) {
  if (is_tensor(a.object(i))) return {a.tensor(i)};
  if (PyTuple_Check(a.object(i)) || PyList_Check(a.object(i))) return a.tensors(i);
  // Any iterable.
  Object list(checked(PySequence_List(a.object(i))));
  std::vector<ValuePtr> values;
  for (Py_ssize_t k = 0; k < PyList_GET_SIZE(list.get()); ++k) {
    if (!is_tensor(PyList_GET_ITEM(list.get(), k))) a.fail_type(i, "Tensor or a sequence of Tensors");
    values.push_back(value_of(PyList_GET_ITEM(list.get(), k)));
  }
  return values;
}

std::vector<Value*> pointers(const std::vector<ValuePtr>& values) {
  std::vector<Value*> result;
  for (const ValuePtr& value : values) result.push_back(value.get());
  return result;
}

}  // namespace

bool retains_grad(const ValuePtr& value) { return value->hooks && static_cast<Hooks*>(value->hooks)->retained_by; }

int visit_hooks(LeafState* hooks, visitproc visit, void* arg) {
  for (auto& [id, callable] : static_cast<Hooks*>(hooks)->callables) Py_VISIT(callable.get());
  return 0;
}
void clear_hooks(LeafState* hooks) {
  auto callables = std::move(static_cast<Hooks*>(hooks)->callables);  // dies here, when the list is consistent again
}

PyObject* grad_fn_object(const ValuePtr& value) {
  auto* object = reinterpret_cast<GradFnObject*>(checked(g_grad_fn_type->tp_alloc(g_grad_fn_type, 0)));
  new (&object->value) ValuePtr(value);
  return reinterpret_cast<PyObject*>(object);
}

void bind_autograd(PyObject* module) {
  static PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(grad_fn_dealloc)},
                                {Py_tp_repr, reinterpret_cast<void*>(grad_fn_repr)},
                                {Py_tp_richcompare, reinterpret_cast<void*>(grad_fn_compare)},
                                {Py_tp_hash, reinterpret_cast<void*>(grad_fn_hash)},
                                {Py_tp_methods, g_grad_fn_methods},
                                {Py_tp_getset, g_grad_fn_properties},
                                {0, nullptr}};
  static PyType_Spec spec{"lamina._core.GradFn", sizeof(GradFnObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  g_grad_fn_type = make_type(spec);
  checked(PyModule_AddObjectRef(module, "GradFn", reinterpret_cast<PyObject*>(g_grad_fn_type)));
}

LAMINA_FUNCTION_AS(kModule, backward_of, "backward",
                   "tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None") {
  std::vector<ValuePtr> roots = tensors_from(a, 0);
  for (const ValuePtr& root : roots)
    check(root->requires_grad(), "element 0 of tensors does not require grad and does not have a grad_fn");
  std::vector<ValuePtr> seeds = seeds_for(roots, a.object(1));
  GradientOptions options;
  options.create_graph = a.flag(3, false);
  options.retain_graph = a.flag(2, options.create_graph);
  std::vector<ValuePtr> inputs;
  if (a.given(4)) inputs = tensors_from(a, 4);
  check(!a.given(4) || !inputs.empty(), "'inputs' argument to backward() cannot be empty.");
  std::vector<Value*> wanted = pointers(inputs), root_pointers = pointers(roots);
  options.inputs = wanted;
  Observer observer(options.create_graph);
  std::vector<ValuePtr> results = gradients(root_pointers, seeds, options, observer);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check(inputs[i]->leaf, "backward(): one of the inputs is not a leaf that requires a gradient");
    if (results[i]) observer.leaf(inputs[i].get(), std::move(results[i]));
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
                   "outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, allow_unused=None") {
  std::vector<ValuePtr> roots = tensors_from(a, 0), inputs = tensors_from(a, 1);
  for (const ValuePtr& input : inputs)
    check(input->requires_grad(), "One of the differentiated Tensors does not require grad");
  std::vector<ValuePtr> seeds = seeds_for(roots, a.object(2));
  GradientOptions options;
  options.create_graph = a.flag(4, false);
  options.retain_graph = a.flag(3, options.create_graph);
  std::vector<Value*> wanted = pointers(inputs), root_pointers = pointers(roots);
  options.inputs = wanted;
  Observer observer(options.create_graph);
  std::vector<ValuePtr> results = gradients(root_pointers, seeds, options, observer);
  Object tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(results.size()))));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i])
      check(a.flag(5, false),
            "One of the differentiated Tensors appears to not have been used in the graph. Set "
            "allow_unused=True if this is the desired behavior.");
    PyObject* item = results[i] ? wrap(engine::unshared(std::move(results[i]))) : Object::borrowed(Py_None).release();
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), item);
  }
  return tuple.release();
}

namespace {

Hooks& hooks_of(const ValuePtr& value) {
  if (!value->hooks) attach_hooks(value.get(), LeafPtr::adopt(new Hooks));
  return *static_cast<Hooks*>(value->hooks);
}

std::int64_t g_next_hook = 0;

}  // namespace

// Returns an id for _remove_hook; the handle object is Python's.
LAMINA_FUNCTION(kMethod, _register_hook, "input, hook") {
  const ValuePtr& value = a.tensor(0);
  check(value->requires_grad(), "cannot register a hook on a tensor that doesn't require gradient");
  std::int64_t id = ++g_next_hook;
  hooks_of(value).callables.emplace(id, Object::borrowed(a.object(1)));
  return PyLong_FromLongLong(id);
}
LAMINA_FUNCTION(kMethod, _remove_hook, "input, id") {
  const ValuePtr& value = a.tensor(0);
  if (value->hooks) static_cast<Hooks*>(value->hooks)->callables.erase(a.integer(1));
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kMethod, retain_grad, "input") {
  const ValuePtr& value = a.tensor(0);
  check(value->requires_grad(), "can't retain_grad on Tensor that has requires_grad=False");
  if (!value->leaf) hooks_of(value).retained_by = Object(checked(PyWeakref_NewRef(a.tensor_object(0), nullptr)));
  Py_RETURN_NONE;
}

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

// The type of grad_fn, with a subtype for each name, and its subclasses made in Python: contexts of functions.
#include "bindings/grad_fn.h"

#include <string>
#include <unordered_map>
#include <vector>

#include "autograd/gradients.h"
#include "bindings/gradient_observer.h"
#include "bindings/tensor_object.h"
#include "ops/record.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

struct GradFnObject {
  PyObject_HEAD Value* node;
  bool owns;  // a context does not own the node, which owns it
};
PyTypeObject* g_type = nullptr;

GradFnObject* as_grad_fn(PyObject* self) { return reinterpret_cast<GradFnObject*>(self); }

Value* existing_node(PyObject* self) {
  Value* node = as_grad_fn(self)->node;
  check(node != nullptr,
        "this function has no node in the gradient graph: nothing it returned requires a gradient, or all of it is "
        "gone");
  return node;
}

PyObject* make(PyTypeObject* type, PyObject*, PyObject*) {
  if (type == g_type) {
    PyErr_SetString(PyExc_TypeError, "a Node is made by recording an operation");
    return nullptr;
  }
  return type->tp_alloc(type, 0);
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  GradFnObject* object = as_grad_fn(self);
  if (!object->owns || object->node->references > 1) return 0;
  // The node, and with it the hooks, is this object's alone.
  return visit_state(state_if_any(object->node), visit, arg);
}

int clear(PyObject* self) {
  if (as_grad_fn(self)->owns) clear_state(state_if_any(as_grad_fn(self)->node));
  return 0;
}

void deallocate(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  GradFnObject* object = as_grad_fn(self);
  if (object->owns) {
    state_if_any(object->node)->object = nullptr;
    let_go(object->node);
  }
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* get_name(PyObject* self, PyObject*) {
  return guarded([&] {
    Value* node = as_grad_fn(self)->node;
    if (!node || (node->op == kFunction && state_if_any(node)->function))
      return PyUnicode_FromString(Py_TYPE(self)->tp_name);
    return PyUnicode_FromString(grad_fn_name(node).c_str());
  });
}

PyObject* represent(PyObject* self) {
  Object name(get_name(self, nullptr));
  return name ? PyUnicode_FromFormat("<%U object at %p>", name.get(), self) : nullptr;
}

PyObject* get_next(PyObject* self, void*) {
  return guarded([&] {
    Value* node = existing_node(self);
    Object list(checked(PyList_New(0)));
    for (Value* operand : node->leaf ? std::span<Value* const>() : node->operands()) {
      bool connected = operand && operand->requires_grad();
      bool output = connected && function_of(operand);
      auto number = output ? static_cast<int>((*operand->attribute)[0]) : 0;
      Object next(connected ? grad_fn_object(ValuePtr(operand)) : Object::borrowed(Py_None).release());
      Object pair(checked(Py_BuildValue("(Oi)", next.get(), number)));
      checked(PyList_Append(list.get(), pair.get()));
    }
    return PyList_AsTuple(list.get());
  });
}

PyObject* get_metadata(PyObject* self, void*) {
  return guarded([&] {
    NodeState& state = state_of(existing_node(self));
    if (!state.metadata) state.metadata = Object(checked(PyDict_New()));
    return Object::borrowed(state.metadata.get()).release();
  });
}

PyObject* get_sequence(PyObject* self, PyObject*) {
  return guarded([&] {
    Value* node = existing_node(self);
    return PyLong_FromUnsignedLongLong(node->leaf ? UINT64_MAX : node->sequence);  // as PyTorch: leaves come first
  });
}

// Of an AccumulateGrad: the leaf.
PyObject* get_variable(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    Value* node = existing_node(self);
    if (!node->leaf) {
      PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute 'variable'", Py_TYPE(self)->tp_name);
      return nullptr;
    }
    PyObject* tensor = leaf_of(node)->tensor;
    return tensor ? Object::borrowed(tensor).release() : wrap(ValuePtr(node));
  });
}

// The node's gradient rule, called with its outputs' gradients.
PyObject* call(PyObject* self, PyObject* args, PyObject*) {
  return guarded([&]() -> PyObject* {
    ValuePtr node(existing_node(self));
    std::size_t outputs = node->op == kFunction ? static_cast<std::size_t>((*node->attribute)[0]) : 1;
    auto given = static_cast<std::size_t>(PyTuple_GET_SIZE(args));
    if (given != outputs) fail(ErrorKind::kType, "expected ", outputs, " arguments, got ", given, " instead");
    std::vector<ValuePtr> gradients(outputs);
    for (std::size_t i = 0; i < outputs; ++i) {
      PyObject* item = PyTuple_GET_ITEM(args, static_cast<Py_ssize_t>(i));
      if (item == Py_None) continue;
      if (!is_tensor(item)) fail(ErrorKind::kType, "expected Tensor or None, got ", printed_type(item));
      gradients[i] = value_of(item);
    }
    GradientOptions options;
    options.create_graph = grad_enabled();
    Observer observer(options);
    if (node->leaf) {
      if (gradients[0]) observer.leaf(node.get(), std::move(gradients[0]));
      Py_RETURN_NONE;
    }
    std::vector<ValuePtr> results = gradients_of_operands(node.get(), gradients, observer);
    if (results.size() == 1) return results[0] ? wrap(results[0]) : Object::borrowed(Py_None).release();
    Object tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(results.size()))));
    for (std::size_t i = 0; i < results.size(); ++i)
      PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i),
                       results[i] ? wrap(results[i]) : Object::borrowed(Py_None).release());
    return tuple.release();
  });
}

PyMethodDef g_methods[] = {{"name", get_name, METH_NOARGS, "The operation's name."},
                           {"_sequence_nr", get_sequence, METH_NOARGS, nullptr},
                           {nullptr, nullptr, 0, nullptr}};
PyGetSetDef g_properties[] = {{"next_functions", get_next, nullptr,
                               "The operations that made the operands, each with an output's number.", nullptr},
                              {"metadata", get_metadata, nullptr, "A dict for the user's notes on the node.", nullptr},
                              {"variable", get_variable, nullptr, "The leaf that an AccumulateGrad adds to.", nullptr},
                              {nullptr, nullptr, nullptr, nullptr, nullptr}};

// A type for each name, so that type(grad_fn).__name__ tells it.
PyTypeObject* type_named(const std::string& name) {
  static auto* types = new std::unordered_map<std::string, PyTypeObject*>;
  auto [found, fresh] = types->try_emplace("lamina.autograd.graph." + name, nullptr);
  if (fresh) {
    static PyType_Slot slots[] = {{0, nullptr}};
    PyType_Spec spec{found->first.c_str(), sizeof(GradFnObject), 0, Py_TPFLAGS_DEFAULT, slots};
    found->second = make_type(spec, g_type);
  }
  return found->second;
}

}  // namespace

bool is_grad_fn(PyObject* object) { return PyObject_TypeCheck(object, g_type); }
Value* node_of(PyObject* grad_fn) { return as_grad_fn(grad_fn)->node; }
void set_node(PyObject* context, Value* node) { as_grad_fn(context)->node = node; }
void forget_node(PyObject* context) { as_grad_fn(context)->node = nullptr; }

namespace {

// Numbers that were given the history of another value have that one's node.
Value* with_own_history(Value* value) {
  while (value->op == static_cast<OpId>(Op::rebase) && !value->leaf && !value->label && !function_of(value)) {
    Value* history = value->operands()[1];
    if (!history || !history->requires_grad() || history->leaf) break;
    value = history;
  }
  return value;
}

}  // namespace

PyObject* grad_fn_object(const ValuePtr& value) {
  Value* node = with_own_history(value.get());
  if (Value* function = function_of(node)) node = function;
  NodeState& state = state_of(node);
  PyObject* known = state.function ? state.function.get() : state.object;
  if (known) return Object::borrowed(known).release();
  PyTypeObject* type = type_named(grad_fn_name(node));
  auto* object = as_grad_fn(checked(type->tp_alloc(type, 0)));
  object->node = node;
  object->owns = true;
  retain(node);
  return state.object = reinterpret_cast<PyObject*>(object);
}

void bind_grad_fn(PyObject* module) {
  static PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(make)},
                                {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
                                {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
                                {Py_tp_clear, reinterpret_cast<void*>(clear)},
                                {Py_tp_repr, reinterpret_cast<void*>(represent)},
                                {Py_tp_call, reinterpret_cast<void*>(call)},
                                {Py_tp_methods, g_methods},
                                {Py_tp_getset, g_properties},
                                {0, nullptr}};
  static PyType_Spec spec{"lamina.autograd.graph.Node", sizeof(GradFnObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  g_type = make_type(spec);
  checked(PyModule_AddObjectRef(module, "Node", reinterpret_cast<PyObject*>(g_type)));
}

}  // namespace lamina::bindings

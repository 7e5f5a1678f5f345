// The hot Tensor type: allocation, lifetime, and its slots put together.
#include "bindings/tensor_object.h"

#include <structmember.h>

#include <new>
#include <vector>

#include "autograd/gradients.h"
#include "bindings/registry.h"
#include "bindings/scalars.h"
#include "engine/flush.h"
#include "engine/journal.h"
#include "functions/operand.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

PyTypeObject* g_tensor_type = nullptr;

namespace {

constexpr std::size_t kMostFree = 8192;  // a deep net's gradients: else each step would start the garbage collector
std::vector<TensorObject*> g_free;

TensorObject* allocate(PyTypeObject* type) {
  if (type == g_tensor_type && !g_free.empty()) {
    TensorObject* object = g_free.back();
    g_free.pop_back();
    PyObject_Init(reinterpret_cast<PyObject*>(object), type);
    PyObject_GC_Track(object);
    return object;
  }
  auto* object = reinterpret_cast<TensorObject*>(checked(type->tp_alloc(type, 0)));
  new (&object->variable) engine::Variable();
  return object;
}

void empty(engine::Variable& variable) {
  ValuePtr value = std::move(variable.value), base;
  if (variable.cell) {
    if (variable.cell->references == 1) base = std::move(variable.cell->value);
    variable = engine::Variable();
  } else {
    variable.seen = variable.changes = 0;
  }
  if (value) let_go(value.detach());
  if (base) let_go(base.detach());
}

void deallocate(PyObject* self) {
  TensorObject* object = as_tensor(self);
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (const Value* value = object->variable.value.get(); value && value->leaf) [[unlikely]] {
    auto* leaf = static_cast<LeafGrad*>(value->leaf);
    if (leaf->tensor == self) leaf->tensor = nullptr;
  }
  if (object->variable.cell && object->variable.cell->handle == self) object->variable.cell->handle = nullptr;
  if (object->weak_references) PyObject_ClearWeakRefs(self);  // may run any code, which finds a dying tensor no more
  engine::forget_variable(object->variable);
  empty(object->variable);
  Py_CLEAR(object->grad);
  Py_CLEAR(object->dict);
  if (type == g_tensor_type && g_free.size() < kMostFree) {
    g_free.push_back(object);
  } else {
    object->variable.~Variable();
    type->tp_free(self);
  }
  Py_DECREF(type);
}

// The objects that only this tensor holds: a leaf's gradient and hooks count while nothing else shares the value.
int traverse(PyObject* self, visitproc visit, void* arg) {
  TensorObject* object = as_tensor(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(object->dict);
  Py_VISIT(object->grad);
  const Value* value = object->variable.value.get();
  if (!value || object->variable.cell || value->references > 1) return 0;
  if (value->leaf && value->leaf->references == 1) Py_VISIT(static_cast<LeafGrad*>(value->leaf)->grad);
  NodeState* state = state_if_any(value);
  if (state && state->references == 1)
    if (int status = visit_state(state, visit, arg)) return status;
  // The context of the function whose only output this is.
  const Value* function = function_of(value);
  if (function && function->references == 1) {
    NodeState* node = state_if_any(function);
    Py_VISIT(node->function.get());
    return visit_state(node, visit, arg);
  }
  return 0;
}

int clear(PyObject* self) {
  TensorObject* object = as_tensor(self);
  Py_CLEAR(object->dict);
  Py_CLEAR(object->grad);
  Value* value = object->variable.value.get();
  if (!value || value->references > 1) return 0;
  if (value->leaf && value->leaf->references == 1) Py_CLEAR(static_cast<LeafGrad*>(value->leaf)->grad);
  if (NodeState* state = state_if_any(value); state && state->references == 1) clear_state(state);
  if (const Value* function = function_of(value); function && function->references == 1)
    clear_state(state_if_any(function));
  return 0;
}

// Tensor(...) and subclasses: by the rules of the old constructors, which stand in lamina/legacy.py.
PyObject* create(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
  return guarded([&] {
    Object owner(reinterpret_cast<PyObject*>(allocate(type)));
    engine::Variable& variable = as_tensor(owner.get())->variable;
    if (PyTuple_GET_SIZE(arguments) == 0 && !keywords) {
      variable.value = build::full(Shape::of({0}), 0, functions::default_float());
      return owner.release();
    }
    Object module(checked(PyImport_ImportModule("lamina.legacy")));
    Object construct(checked(PyObject_GetAttrString(module.get(), "default_tensor")));
    Object call(checked(PyTuple_Pack(1, arguments)));
    Object made(checked(PyObject_Call(construct.get(), call.get(), keywords)));
    variable = as_tensor(made.get())->variable;
    return owner.release();
  });
}

Py_ssize_t length(PyObject* self) {
  return guarded(
      [&] {
        const Shape* shape = value_of(self)->shape;
        if (shape->rank() == 0) fail(ErrorKind::kType, "len() of a 0-d tensor");
        return static_cast<Py_ssize_t>((*shape)[0]);
      },
      static_cast<Py_ssize_t>(-1));
}

Py_hash_t hash(PyObject* self) { return static_cast<Py_hash_t>(reinterpret_cast<std::uintptr_t>(self) >> 4); }

PyMemberDef g_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(TensorObject, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(TensorObject, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

template <typename Function>
void* slot(Function* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace

PyTypeObject* g_uninitialized_type = nullptr;

void set_uninitialized_type(PyTypeObject* type) {
  Py_INCREF(type);
  g_uninitialized_type = type;
}

constexpr char kTensorDoc[] =
    R"(Numbers of one type, in rows, matrices or more axes; operations on it are recorded, and run when somebody looks.

Made by `tensor`, `zeros`, `rand` and their like, or `from_numpy`, which shares memory. Two that share memory are views
of each other: a change in place of one is seen in both. With `requires_grad`, `backward` leaves gradients in `grad`.

>>> x = lamina.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.]))";

void fail_uninitialized(const char* function) {
  fail(ErrorKind::kValue, function,
       ": got an uninitialized parameter, which has no shape and no numbers yet. Run the lazy "
       "module once on data, or give it a shape with lamina.nn.resolve(net, input_shape).");
}

void bind_tensor_type(PyObject* module) {
  std::vector<PyType_Slot> slots{{Py_tp_doc, const_cast<char*>(kTensorDoc)},
                                 {Py_tp_dealloc, slot(deallocate)},
                                 {Py_tp_new, slot(create)},
                                 {Py_tp_traverse, slot(traverse)},
                                 {Py_tp_clear, slot(clear)},
                                 {Py_tp_hash, slot(hash)},
                                 {Py_tp_members, g_members},
                                 {Py_tp_getset, g_tensor_properties},
                                 {Py_tp_methods, method_definitions()},
                                 {Py_mp_length, slot(length)},
                                 {Py_mp_subscript, slot(tensor_subscript)},
                                 {Py_mp_ass_subscript, slot(tensor_assign_subscript)},
                                 {Py_bf_getbuffer, slot(tensor_get_buffer)},
                                 {Py_bf_releasebuffer, slot(tensor_release_buffer)}};
  for (PyType_Slot* number = g_number_slots; number->slot; ++number) slots.push_back(*number);
  slots.push_back({0, nullptr});
  PyType_Spec spec{"lamina.Tensor", sizeof(TensorObject), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots.data()};
  g_tensor_type = make_type(spec);
  checked(PyModule_AddObjectRef(module, "Tensor", reinterpret_cast<PyObject*>(g_tensor_type)));
}

PyObject* wrap_quietly(engine::Variable variable) {
  TensorObject* object = allocate(g_tensor_type);
  object->variable = std::move(variable);
  return reinterpret_cast<PyObject*>(object);
}

namespace {

// Numbers from outside; what is recorded has the flag from there.
void note_mode(Value* made) {
  if (inference_mode() && (made->op == kLeaf || made->op == kPlaceholder) && made->references == 1) [[unlikely]]
    made->flags |= kInferenceMade;
}

PyObject* run_due(PyObject* tensor) {
  Object owner(tensor);
  engine::flush_if_due();
  return owner.release();
}

}  // namespace

PyObject* wrap(engine::Variable variable) {
  note_mode(variable.value.get());
  return run_due(wrap_quietly(std::move(variable)));
}

PyObject* wrap(ValuePtr value) {
  note_mode(value.get());
  TensorObject* object = allocate(g_tensor_type);
  object->variable.value = std::move(value);
  return run_due(reinterpret_cast<PyObject*>(object));
}

PyObject* wrap_view(PyObject* base, engine::Variable view) {
  if (!as_tensor(base)->variable.is_view()) view.cell->handle = base;
  // Inference mode records no history of the view, which is a leaf then; it requires a gradient if its base does.
  bool leaf = inference_mode() && value_of(base)->requires_grad() && is_differentiable(view.value->dtype) &&
              !view.value->has(kInferenceMade);
  if (leaf) view.value = engine::with_leaf(view, LeafPtr::adopt(new LeafGrad));
  PyObject* tensor = wrap(std::move(view));
  if (leaf) leaf_grad(tensor)->tensor = tensor;
  return tensor;
}

PyObject* base_of(PyObject* tensor) {
  const engine::Variable& view = as_tensor(tensor)->variable;
  if (!view.is_shown_as_view()) return nullptr;
  if (view.cell->handle) return Object::borrowed(static_cast<PyObject*>(view.cell->handle)).release();
  engine::Variable base(view.cell->value);
  base.cell = view.cell;
  base.seen = view.cell->version;
  PyObject* object = wrap_quietly(std::move(base));
  view.cell->handle = object;
  return object;
}

PyObject* wrap_tuple(std::vector<ValuePtr> values) {
  Object tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(values.size()))));
  for (std::size_t i = 0; i < values.size(); ++i)
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), wrap(std::move(values[i])));
  return tuple.release();
}

PyObject* make_subclass(PyTypeObject* type, PyObject* data, bool requires_grad) {
  Object owner(reinterpret_cast<PyObject*>(allocate(type)));
  as_tensor(owner.get())->variable = engine::detached(as_tensor(data)->variable, false);
  if (requires_grad) set_requires_grad(owner.get(), true);
  return owner.release();
}

LeafGrad* leaf_grad(PyObject* tensor) { return static_cast<LeafGrad*>(value_of(tensor)->leaf); }

PyObject** grad_slot(PyObject* tensor) {
  LeafGrad* leaf = leaf_grad(tensor);
  return leaf ? &leaf->grad : &as_tensor(tensor)->grad;
}

void set_requires_grad(PyObject* tensor, bool requires_grad) {
  engine::Variable& variable = as_tensor(tensor)->variable;
  ValuePtr value = engine::current(variable);
  if (value->requires_grad() == requires_grad) return;
  if (!requires_grad) {
    check(value->leaf,
          "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
          "in a subgraph that doesn't require differentiation use var_no_grad = var.detach().");
  } else {
    check(!value->has(kInferenceMade) || inference_mode(),
          "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
    check(is_differentiable(value->dtype), "only Tensors of floating point and complex dtype can require gradients");
  }
  // The flag is the value's: other tensors that hold the same value must not change.
  value.reset();
  PyObject** grad = grad_slot(tensor);
  Object kept(std::exchange(*grad, nullptr));
  variable.value = engine::with_leaf(variable, requires_grad ? LeafPtr::adopt(new LeafGrad) : LeafPtr());
  if (variable.cell && !variable.is_view()) variable.cell->value = variable.value;
  *grad_slot(tensor) = kept.release();
  if (requires_grad) leaf_grad(tensor)->tensor = tensor;
}

}  // namespace lamina::bindings

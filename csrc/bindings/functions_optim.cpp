// Rows of the registry: the optimisers' updates, and what is done to gradients before, recorded as one program with the
// step that made the gradients. The step's end runs it, for all groups of parameters.
#include <cmath>
#include <optional>

#include "bindings/in_place.h"
#include "bindings/registry.h"
#include "functions/pointwise.h"
#include "functions/reduce.h"
#include "functions/views.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

using namespace build;

PyObject* item_of(const Arguments& a, std::size_t list, std::size_t i) {
  PyObject* items = a.object(list);
  return PyList_GET_ITEM(items, static_cast<Py_ssize_t>(i));
}

std::size_t length_of(const Arguments& a, std::size_t list, std::size_t expected) {
  if (!a.object(list) || !PyList_Check(a.object(list))) a.fail_type(list, "list");
  auto size = static_cast<std::size_t>(PyList_GET_SIZE(a.object(list)));
  check(expected == static_cast<std::size_t>(-1) || size == expected, a.signature().name(),
        "(): expected lists of equal length, got ", expected, " and ", size);
  return size;
}

// Of complex numbers the parts, which are updated each on its own.
ValuePtr numbers_of(PyObject* tensor) {
  const ValuePtr& value = value_of(tensor);
  return is_complex(value->dtype) ? view_as_real(value) : value;
}

ValuePtr tensor_at(const Arguments& a, std::size_t list, std::size_t i) {
  PyObject* item = item_of(a, list, i);
  if (!is_tensor(item)) a.fail_type(list, "list of Tensors");
  return numbers_of(item);
}

void store(PyObject* tensor, ValuePtr value) {
  if (is_complex(value_of(tensor)->dtype)) value = view_as_complex(value);
  engine::assign(as_tensor(tensor)->variable, std::move(value));
}

// A number of a step: one scalar of the program for all parameters of a type.
class Shared {
 public:
  explicit Shared(double number) : number_(number) {}
  bool is(double number) const { return number_ == number; }
  const ValuePtr& beside(const ValuePtr& x) {
    if (!scalar_ || scalar_->dtype != x->dtype) scalar_ = number(number_, x->dtype);
    return scalar_;
  }

 private:
  double number_;
  ValuePtr scalar_;
};

// What a parameter's state, the i-th dict of a list, has under a name: null if there is nothing, or None.
Object state_at(const Arguments& a, std::size_t list, std::size_t i, PyObject* name) {
  PyObject* state = item_of(a, list, i);
  if (!PyDict_Check(state)) a.fail_type(list, "list of dicts");
  PyObject* found = PyDict_GetItemWithError(state, name);
  if (!found && PyErr_Occurred()) throw PythonError{};
  return found == Py_None ? Object() : Object::borrowed(found);
}

Object required_state(const Arguments& a, std::size_t list, std::size_t i, PyObject* name) {
  Object found = state_at(a, list, i, name);
  if (!found) PyErr_SetObject(PyExc_KeyError, name);
  checked(found.get());
  return found;
}

Object tensor_state(const Arguments& a, std::size_t list, std::size_t i, PyObject* name) {
  Object found = required_state(a, list, i, name);
  if (!is_tensor(found.get())) a.fail_type(list, "list of dicts of Tensors");
  return found;
}

// The gradient as the update sees it.
ValuePtr prepared(const ValuePtr& parameter, ValuePtr gradient, Shared& weight_decay, bool maximize) {
  if (gradient->requires_grad()) gradient = detach(gradient);
  if (gradient->dtype != parameter->dtype) gradient = cast(gradient, parameter->dtype);
  if (maximize) gradient = -gradient;
  if (!weight_decay.is(0)) gradient = gradient + parameter * weight_decay.beside(parameter);
  return gradient;
}

// Drops a tensor's gradient. That may run any code: the caller looks at its list anew afterwards.
void forget_gradient(PyObject* tensor) {
  if (PyObject** slot = grad_slot(tensor); *slot) Object old(std::exchange(*slot, nullptr));
}

}  // namespace

// Those of the tensors that have a gradient, and the gradients.
LAMINA_FUNCTION(kModule, _with_gradients, "tensors") {
  std::size_t count = length_of(a, 0, static_cast<std::size_t>(-1));
  Object tensors(checked(PyList_New(0))), gradients(checked(PyList_New(0)));
  for (std::size_t i = 0; i < count; ++i) {
    tensor_at(a, 0, i);
    PyObject* gradient = *grad_slot(item_of(a, 0, i));
    if (!gradient) continue;
    checked(PyList_Append(tensors.get(), item_of(a, 0, i)));
    checked(PyList_Append(gradients.get(), gradient));
  }
  return PyTuple_Pack(2, tensors.get(), gradients.get());
}

LAMINA_FUNCTION(kModule, _forget_gradients, "tensors") {
  for (std::size_t i = 0; i < length_of(a, 0, static_cast<std::size_t>(-1)); ++i) {
    tensor_at(a, 0, i);
    forget_gradient(Object::borrowed(item_of(a, 0, i)).get());
  }
  Py_RETURN_NONE;
}

// Of all elements of the tensors taken together.
LAMINA_FUNCTION(kModule, _total_norm, "tensors, order") {
  GradMode mode(false);
  const double order = a.number(1);
  std::vector<ValuePtr> norms = a.tensors(0);
  for (ValuePtr& x : norms) x = cast(functions::norm(x, order, {}, false, {}), norms.front()->dtype);
  return wrap(functions::norm(functions::stack(std::move(norms), 0), order, {}, false, {}));
}

// Multiplies each by the one factor, in place.
LAMINA_FUNCTION(kModule, _scale_, "tensors, factor") {
  GradMode mode(false);
  const std::size_t count = length_of(a, 0, static_cast<std::size_t>(-1));
  for (std::size_t i = 0; i < count; ++i) {
    PyObject* tensor = item_of(a, 0, i);
    if (!is_tensor(tensor)) a.fail_type(0, "list of Tensors");
    engine::check_assignable(as_tensor(tensor)->variable);
    const ValuePtr& x = value_of(tensor);
    assign_result(tensor, functions::binary(Op::mul, x, cast(a.tensor(1), x->dtype)));
  }
  Py_RETURN_NONE;
}

// Momentum, if it is not 0, is kept in the states. Source: Sutskever et al. 2013, in PyTorch's form.
LAMINA_FUNCTION(kModule, sgd_step, "params, grads, states, lr, momentum, dampening, weight_decay, nesterov, maximize") {
  static PyObject* const kBuffer = PyUnicode_InternFromString("momentum_buffer");
  GradMode mode(false);
  const std::size_t count = length_of(a, 0, static_cast<std::size_t>(-1));
  length_of(a, 1, count);
  Shared rate(a.number(3)), momentum(a.number(4)), share(1 - a.number(5)), decay(a.number(6));
  const bool nesterov = a.flag(7, false), maximize = a.flag(8, false);
  if (!momentum.is(0)) length_of(a, 2, count);
  for (std::size_t i = 0; i < count; ++i) {
    ValuePtr parameter = tensor_at(a, 0, i);
    ValuePtr update = prepared(parameter, tensor_at(a, 1, i), decay, maximize);
    if (!momentum.is(0)) {
      Object buffer = state_at(a, 2, i, kBuffer);
      if (buffer) {
        if (!is_tensor(buffer.get())) a.fail_type(2, "list of dicts of Tensors");
        const ValuePtr before = numbers_of(buffer.get());
        store(buffer.get(), before * momentum.beside(before) + update * share.beside(update));
      } else {
        const bool complex = is_complex(value_of(item_of(a, 0, i))->dtype);
        buffer = Object(wrap_quietly(engine::Variable(complex ? view_as_complex(clone(update)) : clone(update))));
        checked(PyDict_SetItem(item_of(a, 2, i), kBuffer, buffer.get()));
      }
      const ValuePtr moving = numbers_of(buffer.get());
      update = nesterov ? update + moving * momentum.beside(moving) : moving;
    }
    store(item_of(a, 0, i), parameter - update * rate.beside(parameter));
  }
  Py_RETURN_NONE;
}

namespace {

// The bias corrections of a step: parameters that missed steps are at another one.
struct Corrections {
  Corrections(double step, double lr, double beta1, double beta2)
      : step(step), root(1 / std::sqrt(1 - std::pow(beta2, step))), rate(lr / (1 - std::pow(beta1, step))) {}
  double step;
  Shared root, rate;
};

}  // namespace

// Counts the steps in the states. Kingma and Ba 2015; decoupled weight decay: Loshchilov and Hutter 2019; amsgrad:
// Reddi et al. 2018.
LAMINA_FUNCTION(kModule, adam_step,
                "params, grads, states, lr, beta1, beta2, eps, weight_decay, amsgrad, decoupled, maximize") {
  static PyObject *const kStep = PyUnicode_InternFromString("step"),
                         *const kMean = PyUnicode_InternFromString("exp_avg"),
                         *const kSquare = PyUnicode_InternFromString("exp_avg_sq"),
                         *const kLargest = PyUnicode_InternFromString("max_exp_avg_sq");
  GradMode mode(false);
  const std::size_t count = length_of(a, 0, static_cast<std::size_t>(-1));
  length_of(a, 1, count);
  length_of(a, 2, count);
  const double lr = a.number(3), beta1 = a.number(4), beta2 = a.number(5), weight_decay = a.number(7);
  const bool amsgrad = a.flag(8, false), decoupled = a.flag(9, false), maximize = a.flag(10, false);
  Shared eps(a.number(6)), decay(decoupled ? 0 : weight_decay), kept(decoupled ? 1 - lr * weight_decay : 1);
  Shared share1(1 - beta1), rest2(beta2), share2(1 - beta2);
  std::optional<Corrections> at;
  for (std::size_t i = 0; i < count; ++i) {
    const Object before(checked(PyNumber_Long(required_state(a, 2, i, kStep).get())));
    const double step = PyLong_AsDouble(before.get()) + 1;
    if (PyErr_Occurred()) throw PythonError{};
    if (!at || at->step != step) at.emplace(step, lr, beta1, beta2);
    const Object mean = tensor_state(a, 2, i, kMean), square = tensor_state(a, 2, i, kSquare);
    const Object spread = amsgrad ? tensor_state(a, 2, i, kLargest) : square;
    ValuePtr parameter = tensor_at(a, 0, i);
    ValuePtr gradient = prepared(parameter, tensor_at(a, 1, i), decay, maximize);
    if (!kept.is(1)) parameter = parameter * kept.beside(parameter);
    // Each state is stored before it is read: a value that nobody else reads needs no copy to become a tensor's own.
    const ValuePtr mean_before = numbers_of(mean.get());
    store(mean.get(), mean_before + (gradient - mean_before) * share1.beside(gradient));
    const ValuePtr square_before = numbers_of(square.get());
    store(square.get(),
          square_before * rest2.beside(square_before) + build::square(gradient) * share2.beside(gradient));
    if (amsgrad) store(spread.get(), maximum(numbers_of(spread.get()), numbers_of(square.get())));
    const ValuePtr root = build::sqrt(numbers_of(spread.get()));
    const ValuePtr divisor = root * at->root.beside(root) + eps.beside(root);
    const ValuePtr moving = numbers_of(mean.get());
    store(item_of(a, 0, i), parameter - moving * at->rate.beside(moving) / divisor);
    const Object counted(checked(PyLong_FromDouble(step)));
    checked(PyDict_SetItem(item_of(a, 2, i), kStep, counted.get()));
  }
  Py_RETURN_NONE;
}

}  // namespace lamina::bindings

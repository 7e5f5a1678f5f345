// Rows of the registry: the optimisers' updates, recorded as one program with the step that made the gradients. The
// step's end runs it, for all groups of parameters.
#include <cmath>

#include "bindings/registry.h"
#include "functions/pointwise.h"
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

// The gradient as the update sees it.
ValuePtr prepared(const ValuePtr& parameter, ValuePtr gradient, double weight_decay, bool maximize) {
  if (gradient->requires_grad()) gradient = detach(gradient);
  if (gradient->dtype != parameter->dtype) gradient = cast(gradient, parameter->dtype);
  if (maximize) gradient = -gradient;
  if (weight_decay != 0) gradient = gradient + parameter * weight_decay;
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

// Returns the momentum buffers; takes and returns None without. Source: Sutskever et al. 2013, in PyTorch's form.
LAMINA_FUNCTION(kModule, sgd_step,
                "params, grads, momentum_buffers, lr, momentum, dampening, weight_decay, nesterov, maximize") {
  GradMode mode(false);
  std::size_t count = length_of(a, 0, static_cast<std::size_t>(-1));
  length_of(a, 1, count);
  double lr = a.number(3), momentum = a.number(4), dampening = a.number(5), decay = a.number(6);
  bool nesterov = a.flag(7, false), maximize = a.flag(8, false);
  if (momentum != 0) length_of(a, 2, count);
  Object buffers(momentum != 0 ? checked(PyList_New(static_cast<Py_ssize_t>(count))) : Py_NewRef(Py_None));
  ValuePtr rate;  // one scalar of the program for all parameters of a type
  for (std::size_t i = 0; i < count; ++i) {
    ValuePtr parameter = tensor_at(a, 0, i);
    if (!rate || rate->dtype != parameter->dtype) rate = number(lr, parameter->dtype);
    ValuePtr update = prepared(parameter, tensor_at(a, 1, i), decay, maximize);
    if (momentum != 0) {
      Object buffer = Object::borrowed(item_of(a, 2, i));
      if (buffer.get() == Py_None) {
        bool complex = is_complex(value_of(item_of(a, 0, i))->dtype);
        buffer = Object(wrap_quietly(engine::Variable(complex ? view_as_complex(clone(update)) : clone(update))));
      } else {
        store(buffer.get(), numbers_of(buffer.get()) * momentum + update * (1 - dampening));
      }
      update = nesterov ? update + numbers_of(buffer.get()) * momentum : numbers_of(buffer.get());
      PyList_SET_ITEM(buffers.get(), static_cast<Py_ssize_t>(i), buffer.release());
    }
    store(item_of(a, 0, i), parameter - update * rate);
  }
  return buffers.release();
}

// Kingma and Ba 2015; decoupled weight decay: Loshchilov and Hutter 2019; amsgrad: Reddi et al. 2018.
LAMINA_FUNCTION(kModule, adam_step,
                "params, grads, exp_avgs, exp_avg_sqs, step, lr, beta1, beta2, eps, weight_decay, max_exp_avg_sqs, "
                "decoupled, maximize") {
  GradMode mode(false);
  std::size_t count = length_of(a, 0, static_cast<std::size_t>(-1));
  for (std::size_t list : {std::size_t{1}, std::size_t{2}, std::size_t{3}}) length_of(a, list, count);
  bool amsgrad = a.given(10);
  if (amsgrad) length_of(a, 10, count);
  double step = a.number(4), lr = a.number(5), beta1 = a.number(6), beta2 = a.number(7), eps = a.number(8),
         decay = a.number(9);
  bool decoupled = a.flag(11, false), maximize = a.flag(12, false);
  double correction1 = 1 - std::pow(beta1, step), correction2 = std::sqrt(1 - std::pow(beta2, step));
  for (std::size_t i = 0; i < count; ++i) {
    ValuePtr parameter = tensor_at(a, 0, i);
    ValuePtr gradient = prepared(parameter, tensor_at(a, 1, i), decoupled ? 0 : decay, maximize);
    if (decoupled && decay != 0) parameter = parameter * (1 - lr * decay);
    // Each state is stored before it is read: a value that nobody else reads needs no copy to become a tensor's own.
    store(item_of(a, 2, i), tensor_at(a, 2, i) + (gradient - tensor_at(a, 2, i)) * (1 - beta1));
    store(item_of(a, 3, i), tensor_at(a, 3, i) * beta2 + build::square(gradient) * (1 - beta2));
    std::size_t spread = 3;
    if (amsgrad) {
      spread = 10;
      store(item_of(a, 10, i), maximum(tensor_at(a, 10, i), tensor_at(a, 3, i)));
    }
    ValuePtr divisor = build::sqrt(tensor_at(a, spread, i)) * (1 / correction2) + eps;
    store(item_of(a, 0, i), parameter - tensor_at(a, 2, i) * (lr / correction1) / divisor);
  }
  Py_RETURN_NONE;
}

}  // namespace lamina::bindings

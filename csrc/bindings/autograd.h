// Differentiation from Python: backward, gradients of chosen inputs, hooks.
#pragma once

#include "bindings/python.h"
#include "graph/value.h"

namespace lamina::bindings {

void bind_autograd(PyObject* module);

// A new object for a value's grad_fn.
PyObject* grad_fn_object(const ValuePtr& value);

}  // namespace lamina::bindings

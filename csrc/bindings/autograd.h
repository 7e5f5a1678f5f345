// Differentiation from Python: backward, gradients of chosen inputs, hooks.
#pragma once

#include "bindings/python.h"
#include "graph/value.h"

namespace lamina::bindings {

void bind_autograd(PyObject* module);

// A new object for a value's grad_fn.
PyObject* grad_fn_object(const ValuePtr& value);

bool retains_grad(const ValuePtr& value);

// For the garbage collector: the Python objects that a value's hooks hold.
int visit_hooks(LeafState* hooks, visitproc visit, void* arg);
void clear_hooks(LeafState* hooks);

}  // namespace lamina::bindings

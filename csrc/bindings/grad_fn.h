// grad_fn: the Python object that stands for a node of the gradient graph.
#pragma once

#include "bindings/node_state.h"

namespace lamina::bindings {

void bind_grad_fn(PyObject* module);

// The object of the node that made `value`: always the same one while it exists.
PyObject* grad_fn_object(const ValuePtr& value);

bool is_grad_fn(PyObject* object);
// The node; null for the context of a function that has none (yet, or any more).
Value* node_of(PyObject* grad_fn);

// A context, which the node owns, not the other way around, learns where its node is, and that it is gone.
void set_node(PyObject* context, Value* node);
void forget_node(PyObject* context);

}  // namespace lamina::bindings

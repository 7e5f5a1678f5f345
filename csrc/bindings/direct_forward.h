// Forwards that hand their input and some attributes of the module to a function: called without a frame of Python.
#pragma once

#include <Python.h>

namespace lamina::bindings {

struct DirectForward;

// What forward_calls has said of this function; null if nothing.
const DirectForward* direct_forward(PyObject* function);

// The forward of `self` with this input; or null, without an exception set, where the module's settings ask for what
// only the function itself does.
PyObject* call_directly(const DirectForward& direct, PyObject* self, PyObject* input);

// Adds forward_calls(function, *attributes, unless=None), a decorator of methods that do no more than
// `return function(input, self.attribute, …)`, as long as the attribute `unless` is False.
void bind_direct_forward(PyObject* module);

}  // namespace lamina::bindings

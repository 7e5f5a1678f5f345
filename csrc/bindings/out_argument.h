// `out=`: the tensors that a function shall put its results into.
#pragma once

#include "bindings/python.h"

namespace lamina::bindings {

// Puts `result` (a tensor or a tuple of tensors; stolen) into `out` and returns that. Another shape resizes it, with
// PyTorch's warning if it had elements, unless the function `resizes`. Raises TypeError for what is no tensor,
// RuntimeError for a type that would lose its category and for what requires a gradient.
PyObject* put_into_out(const char* function, Object result, PyObject* out, bool resizes = false);
// Raises RuntimeError if `out` shares some of its elements with the argument, a tensor or a sequence of tensors.
void check_no_partial_overlap(PyObject* argument, PyObject* out);

// RuntimeError if the tensor that is written to shows memory that an argument shows, too, be it the same elements.
void check_no_overlap(PyObject* argument, PyObject* written);

}  // namespace lamina::bindings

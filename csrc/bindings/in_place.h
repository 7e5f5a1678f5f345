// In-place operations on tensor objects.
#pragma once

#include "bindings/tensor_object.h"

namespace lamina::bindings {

// Puts an operation's result into the tensor: PyTorch's rules for shape and dtype, then engine::assign.
void assign_result(PyObject* tensor, ValuePtr result);

}  // namespace lamina::bindings

// NumPy arrays over our memory.
#pragma once

#include "bindings/python.h"
#include "engine/variable.h"

namespace lamina::bindings {

// An array over the variable's own numbers, which are exposed for as long as it or a view of it lives.
PyObject* array_over(engine::Variable& variable);

}  // namespace lamina::bindings

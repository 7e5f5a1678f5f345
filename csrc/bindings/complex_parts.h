// The parts of complex tensors.
#pragma once

#include <cstdint>

#include "bindings/python.h"

namespace lamina::bindings {

// The real (0) or imaginary (1) part, as a view. Real numbers are their own real part; they have no imaginary part, for
// which it raises.
PyObject* part_of(PyObject* tensor, std::int64_t which);

}  // namespace lamina::bindings

// Shape-only runs: recording without ever computing.
#pragma once

#include <pybind11/pybind11.h>

namespace lamina::bindings {

void bind_shape_only(pybind11::module_& module);

}  // namespace lamina::bindings

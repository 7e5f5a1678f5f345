// Differentiation from Python: backward and gradients of chosen inputs.
#pragma once

#include "graph/value.h"

namespace lamina::bindings {

bool retains_grad(const ValuePtr& value);

}  // namespace lamina::bindings

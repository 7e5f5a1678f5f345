// Writing back what a view of any strides shows, element by element. For assign.cpp only.
#pragma once

#include <vector>

#include "engine/variable.h"

namespace lamina::engine {

// `base` with the elements that the steps lead to, each once, replaced by `fresh`.
ValuePtr put_elements(const std::vector<const ViewPath*>& steps, const ValuePtr& base, const ValuePtr& fresh);

}  // namespace lamina::engine

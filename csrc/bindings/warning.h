// Warnings that PyTorch gives once in a program.
#pragma once

#include "bindings/python.h"
#include "graph/value.h"

namespace lamina::bindings {

// Warns at the line that called, unless it was `told`. If warnings are errors, this one is raised every time.
void warn_once(bool& told, const char* message);
// Where a number is taken out of what is differentiated.
void warn_of_lost_gradient(const ValuePtr& value);

}  // namespace lamina::bindings

// Functions of complex numbers that are more than arithmetic on parts alike: products, powers, transcendental ones.
#pragma once

#include "ops/build.h"

namespace lamina {

bool is_complex_function(Op op);
// y: null for functions of one number.
ValuePtr complex_function(Op op, const ValuePtr& x, const ValuePtr& y);

}  // namespace lamina

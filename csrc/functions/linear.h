// Public matrix products.
#pragma once

#include "functions/operand.h"

namespace lamina::functions {

// All of PyTorch's rank combinations: 1-d operands are vectors, batches broadcast.
ValuePtr matmul(const ValuePtr& a, const ValuePtr& b);
// With the rank checks of the named functions.
ValuePtr mm(const ValuePtr& a, const ValuePtr& b);
ValuePtr bmm(const ValuePtr& a, const ValuePtr& b);
ValuePtr mv(const ValuePtr& a, const ValuePtr& b);
ValuePtr dot(const ValuePtr& a, const ValuePtr& b);
// X with a X = b for triangles a (..., n, n) and b (..., n, m) of one batch and type, real floats; upper ones, or with
// ones on the diagonal if unit. Of a, the other half counts as 0.
ValuePtr solve_triangle(const ValuePtr& a, const ValuePtr& b, bool upper, bool unit);
// beta * input + alpha * (a @ b)
ValuePtr addmm(const ValuePtr& input, const ValuePtr& a, const ValuePtr& b, const Operand& beta, const Operand& alpha);
// x @ weight.T + bias: x (..., in), weight (out, in) or (in,), bias (out,) or null.
ValuePtr linear(const ValuePtr& x, const ValuePtr& weight, const ValuePtr& bias);

}  // namespace lamina::functions

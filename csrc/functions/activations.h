// Activation functions of floats that are composed of several ops. Each value is named as PyTorch's one op.
#pragma once

#include "functions/operand.h"

namespace lamina::functions {

// x sigmoid(x). Source: Elfwing et al. 2017.
ValuePtr silu(const ValuePtr& x);
// x above 0 and slope x from 0 downwards.
ValuePtr leaky_relu(const ValuePtr& x, const Operand& slope);
// x above 0 and alpha (exp(x) - 1) from 0 downwards. Source: Clevert et al. 2016.
ValuePtr elu(const ValuePtr& x, const Operand& alpha);
// x tanh(softplus(x)). Source: Misra 2019.
ValuePtr mish(const ValuePtr& x);
// log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold.
ValuePtr softplus(const ValuePtr& x, const Operand& beta, const Operand& threshold);
// log(sigmoid(x)) without overflow.
ValuePtr log_sigmoid(const ValuePtr& x);

}  // namespace lamina::functions

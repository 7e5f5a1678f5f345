// Activation functions composed of ops. Tests: tests/python/test_nn_activations.py.
#include "functions/activations.h"

#include "functions/pointwise.h"

namespace lamina::functions {

namespace {

Operand real(double number) { return Operand::of(number); }

}  // namespace

ValuePtr silu(const ValuePtr& x) { return labelled(binary(Op::mul, x, unary(Op::sigmoid, x)), "Silu"); }

ValuePtr leaky_relu(const ValuePtr& x, const Operand& slope) {
  return labelled(where(binary(Op::gt, x, real(0)), x, binary(Op::mul, x, slope)), "LeakyRelu");
}

ValuePtr elu(const ValuePtr& x, const Operand& alpha) {
  const ValuePtr bent = binary(Op::le, x, real(0));
  // The branch that is not taken must stay finite, or its zero gradient would turn into NaN.
  const ValuePtr below = unary(Op::expm1, where(bent, x, real(0)));
  return labelled(where(bent, binary(Op::mul, alpha, below), x), "Elu");
}

ValuePtr mish(const ValuePtr& x) {
  // tanh(log(1 + e)) = e (e + 2) / (e (e + 2) + 2), which is 1 from 20 on.
  const ValuePtr e = unary(Op::exp, clamp(x, {}, real(20)));
  const ValuePtr n = binary(Op::mul, e, binary(Op::add, e, real(2)));
  return labelled(binary(Op::mul, x, binary(Op::div, n, binary(Op::add, n, real(2)))), "Mish");
}

ValuePtr softplus(const ValuePtr& x, const Operand& beta, const Operand& threshold) {
  const ValuePtr scaled = binary(Op::mul, x, beta), linear = binary(Op::gt, scaled, threshold);
  const ValuePtr bent = unary(Op::log1p, unary(Op::exp, where(linear, real(0), scaled)));
  return labelled(where(linear, x, binary(Op::div, bent, beta)), "Softplus");
}

ValuePtr log_sigmoid(const ValuePtr& x) {
  const ValuePtr negative = binary(Op::lt, x, real(0)), least = where(negative, x, real(0));
  const ValuePtr magnitude = where(negative, x, unary(Op::neg, x));
  return labelled(binary(Op::sub, least, unary(Op::log1p, unary(Op::exp, magnitude))), "LogSigmoid");
}

}  // namespace lamina::functions

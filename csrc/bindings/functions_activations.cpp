// Rows of the registry: activation functions of floats. Python checks the types, and computes narrow ones in float32.
#include "bindings/results.h"
#include "functions/activations.h"
#include "ops/memory_order.h"
#include "ops/view_layout.h"

namespace lamina::bindings {

LAMINA_FUNCTION(kModule, _silu, "input") { return wrap(functions::silu(a.tensor(0))); }
LAMINA_FUNCTION(kModule, _leaky_relu, "input, negative_slope") {
  return wrap(functions::leaky_relu(a.tensor(0), a.operand(1)));
}
LAMINA_FUNCTION(kModule, _elu, "input, alpha") { return wrap(functions::elu(a.tensor(0), a.operand(1))); }
LAMINA_FUNCTION(kModule, _mish, "input") { return wrap(functions::mish(a.tensor(0))); }
LAMINA_FUNCTION(kModule, _softplus, "input, beta, threshold") {
  return wrap(functions::softplus(a.tensor(0), a.operand(1), a.operand(2)));
}
LAMINA_FUNCTION(kModule, _log_sigmoid, "input") {
  ValuePtr result = functions::log_sigmoid(a.tensor(0));
  if (result->has(kReordered)) show_strides(result.get(), contiguous_strides(result->shape));
  return wrap(std::move(result));
}

}  // namespace lamina::bindings

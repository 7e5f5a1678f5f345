// Rows of the registry: normalization to mean 0 and variance 1.
#include "bindings/results.h"
#include "functions/normalization.h"
#include "ops/memory_order.h"
#include "ops/view_layout.h"

namespace lamina::bindings {

namespace {

// Sizes: a single number is none.
DimVector trailing(const Arguments& a, std::size_t i) {
  if (!a.object(i) || PyLong_Check(a.object(i))) a.fail_type(i, "tuple of ints");
  return a.dims(i);
}

}  // namespace

LAMINA_FUNCTION(kModule, _standardize, "input, eps, axes=1") {
  return wrap(functions::standardize(a.tensor(0), static_cast<int>(a.integer(2, 1)), a.number(1)));
}
LAMINA_FUNCTION(kModule, layer_norm, "input, normalized_shape, weight=None, bias=None, eps=1e-5") {
  ValuePtr result =
      functions::layer_norm(a.tensor(0), trailing(a, 1), a.tensor_or_null(2), a.tensor_or_null(3), a.number(4, 1e-5));
  if (result->has(kReordered)) show_strides(result.get(), contiguous_strides(result->shape));
  return wrap(std::move(result));
}
LAMINA_FUNCTION(kModule, rms_norm, "input, normalized_shape, weight=None, eps=None") {
  const auto eps = a.given(3) ? std::optional(a.number(3)) : std::nullopt;
  return wrap(laid_like(functions::rms_norm(a.tensor(0), trailing(a, 1), a.tensor_or_null(2), eps), a.variable(0)));
}
LAMINA_FUNCTION(kModule, group_norm, "input, num_groups, weight=None, bias=None, eps=1e-5") {
  return wrap(laid_like(
      functions::group_norm(a.tensor(0), a.integer(1), a.tensor_or_null(2), a.tensor_or_null(3), a.number(4, 1e-5)),
      a.variable(0)));
}

}  // namespace lamina::bindings

// Public functions that bring numbers to mean 0 and variance 1. float16 and bfloat16 are computed in float32 as a
// whole.
#pragma once

#include <optional>

#include "graph/value.h"

namespace lamina::functions {

// The last axes, as one row of floating-point elements, to mean 0 and variance 1, which eps is added to.
ValuePtr standardize(const ValuePtr& x, int axes, double eps);

// weight and bias: null, or of the shape.
ValuePtr layer_norm(const ValuePtr& x, Dims shape, const ValuePtr& weight, const ValuePtr& bias, double eps);
// Without eps: the type's resolution.
ValuePtr rms_norm(const ValuePtr& x, Dims shape, const ValuePtr& weight, std::optional<double> eps);
// x (batch, channels, ...); weight and bias: null, or a number a channel.
ValuePtr group_norm(const ValuePtr& x, std::int64_t groups, const ValuePtr& weight, const ValuePtr& bias, double eps);

}  // namespace lamina::functions

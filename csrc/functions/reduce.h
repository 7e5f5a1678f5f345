// Public reductions, scans and sorting.
#pragma once

#include <optional>
#include <utility>

#include "functions/axes.h"
#include "functions/operand.h"

namespace lamina::functions {

using Axes = std::optional<DimVector>;  // nothing: all axes

struct Extremes {
  ValuePtr values;
  ValuePtr indices;
};

ValuePtr sum(const ValuePtr& x, const Axes& axes, bool keepdim, std::optional<DType> dtype);
ValuePtr mean(const ValuePtr& x, const Axes& axes, bool keepdim, std::optional<DType> dtype);
ValuePtr prod(const ValuePtr& x, const Axes& axes, bool keepdim, std::optional<DType> dtype);
// amax and amin, or what errors call it.
ValuePtr extremum(Op op, const ValuePtr& x, const Axes& axes, bool keepdim, const char* name = nullptr);
ValuePtr any_all(Op op, const ValuePtr& x, const Axes& axes, bool keepdim);
// The same shape and the same numbers, of whatever types; NaN equals nothing. Looks at numbers at once.
bool equal(ValuePtr x, ValuePtr y);
ValuePtr arg_extremum(Op op, const ValuePtr& x, std::optional<std::int64_t> axis, bool keepdim);
// max and min along an axis: the gradient goes to the element that was chosen.
Extremes extremum_with_indices(Op arg, const ValuePtr& x, std::int64_t axis, bool keepdim);
// correction: the divisor is n - correction (1: Bessel's).
ValuePtr var(const ValuePtr& x, const Axes& axes, double correction, bool keepdim);
ValuePtr std_deviation(const ValuePtr& x, const Axes& axes, double correction, bool keepdim);
// The vector p-norm; p may be infinite, 0 counts non-zeros. At 0 the gradient of the 2-norm is 0.
ValuePtr norm(const ValuePtr& x, double p, const Axes& axes, bool keepdim, std::optional<DType> dtype);

ValuePtr logsumexp(const ValuePtr& x, Dims axes, bool keepdim);
// op: softmax, log_softmax, cumsum or cumprod, along one axis.
ValuePtr along_axis(Op op, const ValuePtr& x, std::int64_t axis, std::optional<DType> dtype);

// The largest (smallest) so far along an axis, and where it is: the latest of equal ones; NaN stays once met.
Extremes running_extreme(const ValuePtr& x, std::int64_t axis, bool largest);
Extremes sort(const ValuePtr& x, std::int64_t axis, bool descending);
// How many elements of a sorted row (the last axis) come before each number of a row of the same place; one row serves
// any shape. Numbers come before their equals, or behind them.
ValuePtr search(const ValuePtr& sorted, const ValuePtr& numbers, bool behind_equals);
Extremes topk(const ValuePtr& x, std::int64_t k, std::int64_t axis, bool largest);

}  // namespace lamina::functions

// Public functions along one axis: softmax and its kin, cumulative ops, sorting.
#include <algorithm>
#include <functional>
#include <numeric>

#include "functions/pointwise.h"
#include "functions/reduce.h"
#include "ops/build.h"
#include "ops/complex.h"
#include "support/check.h"

namespace lamina::functions {

using namespace build;

ValuePtr along_axis(Op op, const ValuePtr& x, std::int64_t axis, std::optional<DType> dtype) {
  int rank = x->shape->rank(), wrapped = wrap_axis(axis, rank);
  bool scans = op == Op::cumsum || op == Op::cumprod;
  DType type = dtype.value_or(is_differentiable(x->dtype) || !scans ? x->dtype : DType::kInt64);
  if (scans && type == DType::kBool)
    fail(ErrorKind::kNotImplemented, "\"", row(op).name, "_out_cpu\" not implemented for 'Bool'");
  if (!scans && !is_floating(type) && !is_complex(type) && x->shape->numel() == 0) return clone(cast(x, type));
  if (!scans && !is_floating(type))
    fail(ErrorKind::kNotImplemented, "\"", row(op).name, "_lastdim_kernel_impl\" not implemented for '",
         scalar_name(type), "'");
  ValuePtr source = cast(x, type);
  if (scans && !is_differentiable(type) && type != DType::kInt64)  // integers are scanned as int64
    return labelled(cast(along_axis(op, source, axis, DType::kInt64), type), row(op).label);
  if (rank == 0) return build::reshape(along_axis(op, build::reshape(source, Shape::of({1})), 0, {}), x->shape);
  return labelled(rowwise(op, source, wrapped - rank), row(op).label);
}

ValuePtr logsumexp(const ValuePtr& x, Dims axes, bool keepdim) {
  ValuePtr source = is_differentiable(x->dtype) ? x : cast(x, default_float());
  DimVector wrapped = axes.empty() ? all_axes(x->shape) : wrap_axes(axes, x->shape->rank());
  const Shape* shape = reduced_shape(x->shape, wrapped, keepdim);
  if (is_complex(x->dtype)) {  // scaled by the largest real part
    ValuePtr real = build::parts(build::detach(x)).real;
    ValuePtr largest = build::reduce(Op::amax, real, wrapped, true);
    ValuePtr usable = build::where(isfinite(largest), largest, number(0, largest->dtype));
    ValuePtr scale = cast(usable, x->dtype);
    ValuePtr total = build::sum(build::exp(source - scale), wrapped, keepdim);
    return labelled(build::log(total) + build::reshape(scale, shape), "Logsumexp");
  }
  int axis = -1;
  if (!wrapped.empty() && wrapped.back() - wrapped.front() + 1 == static_cast<std::int64_t>(wrapped.size())) {
    DimVector dims(source->shape->dims().begin(), source->shape->dims().end());
    auto first = dims.begin() + wrapped.front(), last = first + static_cast<std::ptrdiff_t>(wrapped.size()) - 1;
    *last = std::accumulate(first, last + 1, std::int64_t{1}, std::multiplies<>());
    dims.erase(first, last);
    source = build::reshape(source, Shape::of(dims));
    axis = static_cast<int>(wrapped.front()) - source->shape->rank();
  } else {
    source = build::with_axes_last(source, wrapped);
  }
  return labelled(build::reshape(rowwise(Op::logsumexp, source, axis), shape), "Logsumexp");
}

Extremes running_extreme(const ValuePtr& x, std::int64_t axis, bool largest) {
  const int rank = x->shape->rank(), wrapped = wrap_axis(axis, rank);
  if (rank == 0) return {clone(x), full(x->shape, 0, DType::kInt64, x->device())};
  ValuePtr moved = build::swap_axes(x, wrapped, rank - 1), seen = build::detach(moved);
  if (!is_differentiable(x->dtype)) seen = cast(seen, DType::kInt64);  // integers are scanned as int64
  ValuePtr places = rowwise(largest ? Op::cummax_positions : Op::cummin_positions, seen);
  ValuePtr values = build::gather(moved, rank - 1, places);
  return {build::swap_axes(values, wrapped, rank - 1), build::swap_axes(places, wrapped, rank - 1)};
}

Extremes sort(const ValuePtr& x, std::int64_t axis, bool descending) {
  check(!is_complex(x->dtype), "Sort does not support complex dtypes on CPU");
  int rank = x->shape->rank(), wrapped = wrap_axis(axis, rank);
  if (rank == 0) return {labelled(clone(x), "Sort"), full(x->shape, 0, DType::kInt64, x->device())};
  ValuePtr moved = build::swap_axes(x, wrapped, rank - 1);
  ValuePtr order = build::argsort(build::detach(moved), descending, (*moved->shape)[rank - 1]);
  ValuePtr sorted = build::gather(moved, rank - 1, order);
  return {labelled(build::swap_axes(sorted, wrapped, rank - 1), "Sort"), build::swap_axes(order, wrapped, rank - 1)};
}

Extremes topk(const ValuePtr& x, std::int64_t k, std::int64_t axis, bool largest) {
  int rank = x->shape->rank(), wrapped = wrap_axis(axis, rank);
  check(x->dtype != DType::kBool && !is_complex(x->dtype), "topk does not support ",
        x->dtype == DType::kBool ? "bool" : "complex", " dtypes on CPU");
  check(k >= 0 && k <= (rank ? (*x->shape)[wrapped] : 1), "selected index k out of range");
  if (rank == 0) return sort(x, axis, largest);
  ValuePtr moved = build::swap_axes(x, wrapped, rank - 1);
  ValuePtr order = build::argsort(build::detach(moved), largest, k);
  ValuePtr chosen = build::gather(moved, rank - 1, order);
  return {labelled(build::swap_axes(chosen, wrapped, rank - 1), "Topk"), build::swap_axes(order, wrapped, rank - 1)};
}

ValuePtr search(const ValuePtr& sorted, const ValuePtr& numbers, bool behind_equals) {
  const Dims rows = sorted->shape->dims(), asked = numbers->shape->dims();
  check(
      rows.size() == 1 || (!rows.empty() && rows.size() == asked.size() &&
                           std::equal(rows.begin(), rows.end() - 1, asked.begin(), asked.end() - 1)),
      "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor "
      "and input value tensor must match, but we got boundaries tensor ",
      to_string(rows, '[', ']'), " and input value tensor ", to_string(asked, '[', ']'));
  DType type = promote(sorted->dtype, numbers->dtype);
  if (is_complex(type))
    fail(ErrorKind::kNotImplemented, "\"searchsorted_out_cpu\" not implemented for '", scalar_name(type), "'");
  if (type == DType::kBool || type == DType::kUInt8) type = DType::kInt32;
  return build::search(cast(build::detach(sorted), type), cast(build::detach(numbers), type), behind_equals);
}

}  // namespace lamina::functions

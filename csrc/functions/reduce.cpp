// Public reductions.
#include "functions/reduce.h"

#include <cmath>
#include <limits>

#include "functions/pointwise.h"
#include "ops/build.h"
#include "ops/complex.h"
#include "support/check.h"

namespace lamina::functions {

namespace {

using namespace build;

// Integers are summed and multiplied as int64.
DType accumulated(const ValuePtr& x, std::optional<DType> dtype) {
  if (dtype) return *dtype;
  return is_differentiable(x->dtype) ? x->dtype : DType::kInt64;
}

// x in the type that it is summed in: truths are counted.
ValuePtr counted(const ValuePtr& x, DType type) {
  return type == DType::kBool ? cast(cast(x, DType::kBool), DType::kInt64) : cast(x, type);
}

std::int64_t count_of(const ValuePtr& x, Dims axes) {
  std::int64_t count = 1;
  for (std::int64_t axis : axes) count *= (*x->shape)[static_cast<int>(axis)];
  return count;
}

// There is no largest of nothing.
void check_not_empty(const char* name, const ValuePtr& x, Dims axes) {
  if (x->shape->numel() != 0) return;
  for (std::int64_t axis : axes)
    if ((*x->shape)[static_cast<int>(axis)] == 0)
      fail(ErrorKind::kIndex, name, "(): Expected reduction dim ", axis, " to have non-zero size.");
}
void check_not_empty(ErrorKind kind, const char* name, const ValuePtr& x) {
  if (x->shape->numel() == 0)
    fail(kind, name,
         "(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' "
         "argument.");
}

// Complex numbers have no order.
void refuse_complex(const char* name, const ValuePtr& x) {
  check(!is_complex(x->dtype), name, "(): does not support complex input");
}

}  // namespace

ValuePtr sum(const ValuePtr& x, const Axes& axes, bool keepdim, std::optional<DType> dtype) {
  DType type = accumulated(x, dtype);
  ValuePtr source = counted(x, type);
  ValuePtr total = build::sum(source, wrap_or_all(axes, x->shape->rank()), keepdim);
  return labelled(cast(total, type), axes ? "Sum@1" : "Sum");
}

ValuePtr mean(const ValuePtr& x, const Axes& axes, bool keepdim, std::optional<DType> dtype) {
  DType type = dtype.value_or(x->dtype);
  check(is_differentiable(type),
        "mean(): could not infer output dtype. Input dtype must be either a floating point or complex "
        "dtype. Got: ",
        scalar_name(type));
  ValuePtr source = cast(x, wide(type));
  DimVector wrapped = wrap_or_all(axes, x->shape->rank());
  ValuePtr average = build::sum(source, wrapped, keepdim) / static_cast<double>(count_of(x, wrapped));
  return labelled(cast(average, type), axes ? "Mean@1" : "Mean");
}

ValuePtr prod(const ValuePtr& x, const Axes& axes, bool keepdim, std::optional<DType> dtype) {
  DType type = accumulated(x, dtype);
  ValuePtr source = counted(x, type);
  ValuePtr product = build::reduce(Op::prod, source, wrap_or_all(axes, x->shape->rank()), keepdim);
  return labelled(cast(product, type), axes ? "Prod@1" : "Prod");
}

ValuePtr extremum(Op op, const ValuePtr& x, const Axes& axes, bool keepdim, const char* name) {
  if (!name) name = row(op).name;
  refuse_complex(name, x);
  DimVector wrapped = wrap_or_all(axes, x->shape->rank());
  if (axes)
    check_not_empty(name, x, wrapped);
  else
    check_not_empty(ErrorKind::kRuntime, name, x);
  return build::reduce(op, x, wrapped, keepdim);
}

ValuePtr any_all(Op op, const ValuePtr& x, const Axes& axes, bool keepdim) {
  ValuePtr result = axes && axes->empty()  // over no axes, unlike other reductions
                        ? build::binary(Op::ne, build::detach(x), number(0, x->dtype))
                        : build::reduce(op, x, wrap_or_all(axes, x->shape->rank()), keepdim);
  return x->dtype == DType::kUInt8 ? cast(result, DType::kUInt8) : result;
}

ValuePtr arg_extremum(Op op, const ValuePtr& x, std::optional<std::int64_t> axis, bool keepdim) {
  check(x->dtype != DType::kBool, row(op).name, "(): does not support bool input");
  refuse_complex(row(op).name, x);
  int rank = x->shape->rank();
  if (axis) {
    DimVector axes = wrap_axes(DimVector{*axis}, rank);
    check_not_empty(row(op).name, x, axes);
    return build::reduce(op, x, axes, keepdim);
  }
  check_not_empty(ErrorKind::kIndex, row(op).name, x);
  ValuePtr flat = build::reshape(x, Shape::of({x->shape->numel()}));
  ValuePtr position = build::reduce(op, flat, DimVector{0}, false);
  return keepdim ? build::reshape(position, reduced_shape(x->shape, all_axes(x->shape), true)) : position;
}

Extremes extremum_with_indices(Op arg, const ValuePtr& x, std::int64_t axis, bool keepdim) {
  const char* name = arg == Op::argmax ? "max" : "min";
  refuse_complex(name, x);
  if (x->shape->rank() == 0) {
    wrap_axis(axis, 0);
    return {labelled(clone(x), arg == Op::argmax ? "Max" : "Min"), full(x->shape, 0, DType::kInt64, x->device())};
  }
  int wrapped = wrap_axis(axis, x->shape->rank());
  DimVector axes{wrapped};
  check_not_empty(name, x, axes);
  ValuePtr indices = build::reduce(arg, x, axes, true);
  ValuePtr values = build::gather(x, wrapped, indices);
  const Shape* shape = reduced_shape(x->shape, axes, keepdim);
  return {labelled(build::reshape(values, shape), arg == Op::argmax ? "Max" : "Min"), build::reshape(indices, shape)};
}

ValuePtr var(const ValuePtr& x, const Axes& axes, double correction, bool keepdim) {
  check(is_differentiable(x->dtype), "std and var only support floating point and complex dtypes");
  if (is_complex(x->dtype)) {
    build::Parts of = build::parts(x);
    return labelled(var(of.real, axes, correction, keepdim) + var(of.imaginary, axes, correction, keepdim), "Var");
  }
  if (is_narrow(x->dtype))
    return labelled(cast(var(cast(x, wide(x->dtype)), axes, correction, keepdim), x->dtype), "Var");
  DimVector wrapped = wrap_or_all(axes, x->shape->rank());
  auto count = static_cast<double>(count_of(x, wrapped));
  ValuePtr center = build::sum(x, wrapped, true) / count;
  // The mean has no influence on the variance to first order, but its dependence matters for second gradients.
  ValuePtr squares = build::sum(build::square(x - center), wrapped, keepdim);
  return labelled(squares / std::max(count - correction, 0.0), "Var");
}

ValuePtr std_deviation(const ValuePtr& x, const Axes& axes, double correction, bool keepdim) {
  if (is_narrow(x->dtype))
    return labelled(cast(std_deviation(cast(x, wide(x->dtype)), axes, correction, keepdim), x->dtype), "Std");
  // Where nothing varies the root's slope is infinite; the gradient there is 0.
  ValuePtr variance = var(x, axes, correction, keepdim);
  DType dtype = variance->dtype;
  ValuePtr is_zero = build::binary(Op::eq, variance, number(0, dtype));
  ValuePtr root = build::sqrt(build::where(is_zero, number(1, dtype), variance));
  return labelled(build::where(is_zero, number(0, dtype), root), "Std");
}

ValuePtr norm(const ValuePtr& x, double p, const Axes& axes, bool keepdim, std::optional<DType> dtype) {
  check(is_differentiable(x->dtype), "linalg.vector_norm: Expected a floating point or complex tensor as input. Got ",
        scalar_name(x->dtype));
  if (is_complex(x->dtype)) {  // of the magnitudes
    check(!dtype || is_complex(*dtype),
          "linalg.vector_norm: the norm of a complex tensor has no dtype=", name_of(dtype.value_or(x->dtype)));
    return norm(build::abs(dtype ? cast(x, *dtype) : x), p, axes, keepdim, {});
  }
  check(!dtype || is_floating(*dtype), "linalg.vector_norm: dtype should be floating point or complex, but got ",
        scalar_name(dtype.value_or(x->dtype)));
  if (DType type = dtype.value_or(x->dtype); is_narrow(type))
    return labelled(cast(norm(cast(x, wide(type)), p, axes, keepdim, {}), type), "LinalgVectorNorm");
  ValuePtr source = dtype ? cast(x, *dtype) : x;
  DimVector wrapped = wrap_or_all(axes, x->shape->rank());
  const char* label = "LinalgVectorNorm";
  ValuePtr zero = number(0, source->dtype);
  if (p == 0) {
    // Zeros stay, and all else becomes 1: a constant, so that the gradient is 0 everywhere.
    ValuePtr nothing = build::binary(Op::eq, source, zero);
    ValuePtr ones = build::where(nothing, source * 0.0, number(1, source->dtype));
    return labelled(build::sum(ones, wrapped, keepdim), label);
  }
  ValuePtr size = p == 2 ? nullptr : build::abs(source);
  check((p >= 0 && !std::isinf(p)) || count_of(x, wrapped) != 0, "linalg.vector_norm cannot compute the ", p,
        " norm on an empty tensor because the operation does not have an identity");
  if (std::isinf(p)) {
    return labelled(build::reduce(p > 0 ? Op::amax : Op::amin, size, wrapped, keepdim), label);
  }
  if (p == 1) return labelled(build::sum(size, wrapped, keepdim), label);
  auto powers = [&] {  // a zero's own slope would be infinite for p < 1: a constant stands there
    ValuePtr nothing = build::binary(Op::eq, size, zero);
    ValuePtr raised = build::pow(build::where(nothing, number(1, source->dtype), size), number(p, source->dtype));
    return build::where(nothing, number(p > 0 ? 0 : std::numeric_limits<double>::infinity(), source->dtype), raised);
  };
  ValuePtr total = build::sum(p == 2 ? build::square(source) : powers(), wrapped, keepdim);
  // Where the sum is 0 the root's slope is infinite: a constant stands there instead, whose gradient is 0.
  ValuePtr is_zero = build::binary(Op::eq, total, zero);
  ValuePtr safe = build::where(is_zero, number(1, source->dtype), total);
  ValuePtr root = p == 2 ? build::sqrt(safe) : build::pow(safe, number(1 / p, source->dtype));
  double at_zero = p > 0 ? 0 : std::numeric_limits<double>::infinity();
  return labelled(build::where(is_zero, number(at_zero, source->dtype), root), label);
}

}  // namespace lamina::functions

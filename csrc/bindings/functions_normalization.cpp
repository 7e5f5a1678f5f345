// Rows of the registry: normalization to mean 0 and variance 1.
#include "bindings/in_place.h"
#include "bindings/results.h"
#include "functions/normalization.h"
#include "functions/pointwise.h"
#include "functions/reduce.h"
#include "ops/build.h"
#include "ops/memory_order.h"
#include "ops/view_layout.h"
#include "support/check.h"

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

namespace {

functions::ChannelNumbers channel_numbers(const Arguments& a) {
  return {a.tensor_or_null(1), a.tensor_or_null(2), a.tensor_or_null(3), a.tensor_or_null(4)};
}

// Moves a running number towards what was found, in place.
void move_running(const Arguments& a, std::size_t i, const ValuePtr& found, double momentum) {
  GradMode mode(false);
  engine::check_assignable(a.variable(i));
  assign_result(a.tensor_object(i), functions::moved(a.tensor(i), found, momentum));
}

// In the format and, if it was computed in a wider one, in the type of the input.
PyObject* finished(const Arguments& a, const ValuePtr& result) {
  return wrap(laid_like(functions::to_dtype(result, a.tensor(0)->dtype), a.variable(0)));
}

PyObject* batch_norm(const Arguments& a, bool training, double momentum, double eps) {
  const functions::ChannelNumbers given = channel_numbers(a);
  const bool widens = functions::meets_wider(a.tensor(0), given);
  const ValuePtr x = widens ? functions::to_dtype(a.tensor(0), DType::kFloat32) : a.tensor(0);
  functions::check_batch_norm(x, given, training, eps);
  if (x->shape->rank() < 2) return wrap(build::clone(a.tensor(0)));
  if (!training) return finished(a, functions::scaled_by_channel(functions::centered_by_running(x, given), given, eps));
  const std::int64_t numbers = x->shape->numel();
  // Nothing to learn from: the running statistics stay.
  if (numbers == 0) return finished(a, functions::with_affine(build::clone(x), given.weight, given.bias));
  const functions::Centered centered = functions::centered_by_batch(x);
  const auto values = static_cast<double>(numbers / (*x->shape)[1]);
  if (given.running_mean) move_running(a, 1, centered.mean, momentum);
  if (given.running_var && values > 1) {
    GradMode mode(false);
    move_running(a, 2, build::operator*(centered.variance, values / (values - 1)), momentum);
  }
  return finished(a, functions::scaled_by_channel(centered, given, eps));
}

}  // namespace

LAMINA_FUNCTION(kModule, batch_norm,
                "input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5") {
  return batch_norm(a, a.flag(5, false), a.number(6, 0.1), a.number(7, 1e-5));
}
LAMINA_FUNCTION(kModule, instance_norm,
                "input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, "
                "momentum=0.1, eps=1e-5") {
  const double momentum = a.number(6, 0.1), eps = a.number(7, 1e-5);
  if (!a.flag(5, true)) {
    check(a.given(1) && a.given(2), "Expected running_mean and running_var to be defined when use_input_stats=False");
    return batch_norm(a, false, momentum, eps);
  }
  const functions::ChannelNumbers given = channel_numbers(a);
  const bool widens = functions::meets_wider(a.tensor(0), given);
  const ValuePtr x = widens ? functions::to_dtype(a.tensor(0), DType::kFloat32) : a.tensor(0);
  functions::check_instance_norm(x, given);
  DimVector places;
  for (int axis = 2; axis < x->shape->rank(); ++axis) places.push_back(axis);
  for (std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (!a.given(i)) continue;
    GradMode mode(false);
    const ValuePtr of_samples =
        i == 1 ? functions::mean(x, places, false, std::nullopt) : functions::var(x, places, 1, false);
    move_running(a, i, functions::mean(of_samples, DimVector{0}, false, std::nullopt), momentum);
  }
  ValuePtr result = functions::to_dtype(functions::standardize_images(x, given, eps), a.tensor(0)->dtype);
  if (result->has(kReordered)) show_strides(result.get(), contiguous_strides(result->shape));
  return wrap(std::move(result));
}

}  // namespace lamina::bindings

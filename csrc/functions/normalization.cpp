// Normalization of rows, of a sample's last axes and of groups of its channels. Tests:
// tests/python/test_nn_layer_norm.py.
#include "functions/normalization.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "functions/pointwise.h"
#include "functions/reduce.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::functions {

using namespace build;

namespace {

// Rows up to this are looked at by one thread each, while they are in its cache.
constexpr std::int64_t kLongestRow = 1 << 14;

ValuePtr mean_square(const ValuePtr& x, const DimVector& axes) {
  return functions::mean(functions::unary(Op::square, x), axes, true, std::nullopt);
}

// The distance from 1 to the next number.
double resolution(DType dtype) {
  return std::ldexp(1.0, dtype == DType::kFloat64 ? -52 : dtype == DType::kFloat32 ? -23 : -10);
}

ValuePtr plus(const ValuePtr& x, double eps) { return functions::binary(Op::add, x, Operand::of(eps)); }

std::string listed(const ValuePtr& x) { return to_string(x->shape->dims(), '[', ']'); }

void check_floating(const char* kernel, const ValuePtr& x, bool or_complex = false) {
  if (is_floating(x->dtype) || (or_complex && is_complex(x->dtype))) return;
  fail(ErrorKind::kNotImplemented, "\"", kernel, "\" not implemented for '", scalar_name(x->dtype), "'");
}

void check_types(const ValuePtr& x, std::initializer_list<const Value*> others) {
  for (const Value* other : others)
    check(!other || other->dtype == x->dtype, "mixed dtype (CPU): all inputs must share same datatype.");
}

void check_trailing(const char* name, const ValuePtr& x, Dims shape) {
  const Dims given = x->shape->dims();
  check(!shape.empty(), name, ": expected normalized_shape to be at least 1-dimensional, got ()");
  if (given.size() >= shape.size() && std::equal(shape.begin(), shape.end(), given.end() - shape.size())) return;
  fail(ErrorKind::kRuntime, "Given normalized_shape=", to_string(shape, '[', ']'), ", expected input with shape [*, ",
       to_string(shape, '[', ']').substr(1), ", but got input of size", listed(x));
}

void check_affine(const char* role, const ValuePtr& tensor, Dims shape) {
  if (!tensor || std::ranges::equal(tensor->shape->dims(), shape)) return;
  fail(ErrorKind::kRuntime, "Expected ", role, " to be of same shape as normalized_shape, but got ", role, " of shape ",
       listed(tensor), " and normalized_shape = ", to_string(shape, '[', ']'));
}

bool is_narrow_float(const ValuePtr& x) { return is_narrow(x->dtype) && is_floating(x->dtype); }

ValuePtr wide(const ValuePtr& x) { return x && is_narrow_float(x) ? to_dtype(x, DType::kFloat32) : x; }

// A number a channel (axis 1), beside a tensor of this rank.
ValuePtr by_channel(const ValuePtr& numbers, int rank) {
  DimVector dims;
  for (int axis = 0; axis < rank; ++axis) dims.push_back(axis == 1 ? numbers->shape->numel() : 1);
  return reshape(numbers, Shape::of(dims));
}

}  // namespace

ValuePtr with_affine(ValuePtr x, const ValuePtr& weight, const ValuePtr& bias) {
  if (weight) x = x * by_channel(weight, x->shape->rank());
  return bias ? x + by_channel(bias, x->shape->rank()) : x;
}

ValuePtr standardize(const ValuePtr& x, int axes, double eps) {
  check(is_floating(x->dtype), "_standardize: expected floating-point elements, got ", scalar_name(x->dtype));
  const Dims dims = x->shape->dims();
  if (axes <= 0 || static_cast<std::size_t>(axes) > dims.size())
    fail(ErrorKind::kRuntime, "_standardize: expected rows, got shape ", to_string(dims));
  DimVector flat(dims.begin(), dims.end() - axes + 1);
  for (auto size = dims.end() - axes + 1; size != dims.end(); ++size) flat.back() *= *size;
  const ValuePtr rows = reshape(x, Shape::of(flat));
  ValuePtr result;
  if (flat.back() > 0 && flat.back() <= kLongestRow) {
    result = build::standardize(rows, Attribute::of({std::bit_cast<std::int64_t>(eps)}));
  } else {
    const DimVector last{-1};
    const ValuePtr centered = rows - functions::mean(rows, last, true, std::nullopt);
    result = centered * functions::unary(Op::rsqrt, plus(mean_square(centered, last), eps));
  }
  return reshape(result, x->shape);
}

ValuePtr layer_norm(const ValuePtr& x, Dims shape, const ValuePtr& weight, const ValuePtr& bias, double eps) {
  check_floating("LayerNormKernelImpl", x);
  if (is_narrow_float(x)) return to_dtype(layer_norm(wide(x), shape, wide(weight), wide(bias), eps), x->dtype);
  check_trailing("layer_norm", x, shape);
  check_affine("weight", weight, shape);
  check_affine("bias", bias, shape);
  check_types(x, {weight.get(), bias.get()});
  ValuePtr result = standardize(x, static_cast<int>(shape.size()), eps);
  if (weight) result = result * weight;
  if (bias) result = result + bias;
  return labelled(std::move(result), "NativeLayerNorm");
}

ValuePtr rms_norm(const ValuePtr& x, Dims shape, const ValuePtr& weight, std::optional<double> eps) {
  check_floating("rms_norm", x, true);
  if (is_narrow_float(x)) return to_dtype(rms_norm(wide(x), shape, wide(weight), eps), x->dtype);
  check_trailing("rms_norm", x, shape);
  check_affine("weight", weight, shape);
  DimVector axes;
  for (auto axis = -static_cast<std::int64_t>(shape.size()); axis < 0; ++axis) axes.push_back(axis);
  const ValuePtr scale = plus(mean_square(x, axes), eps ? *eps : resolution(part_type(x->dtype)));
  const ValuePtr result = functions::binary(Op::mul, x, functions::unary(Op::rsqrt, scale));
  return weight ? functions::binary(Op::mul, result, weight) : result;
}

ValuePtr group_norm(const ValuePtr& x, std::int64_t groups, const ValuePtr& weight, const ValuePtr& bias, double eps) {
  check_floating("GroupNormKernelImpl", x);
  if (is_narrow_float(x)) return to_dtype(group_norm(wide(x), groups, wide(weight), wide(bias), eps), x->dtype);
  const Shape& dims = *x->shape;
  check(dims.rank() >= 2, "Expected at least 2 dimensions for input tensor but received ", dims.rank());
  const std::int64_t batch = dims[0], channels = dims[1];
  if (groups <= 0 || channels % groups != 0)
    fail(ErrorKind::kRuntime,
         "Expected number of channels in input to be divisible by num_groups, but got input of shape ", listed(x),
         " and num_groups=", groups);
  std::int64_t values = batch * channels / groups;
  for (int axis = 2; axis < dims.rank(); ++axis) values *= dims[axis];
  if (values == 1)
    fail(ErrorKind::kValue, "Expected more than 1 value per channel when training, got input size torch.Size(",
         listed(x), ")");
  const auto check_vector = [&](const char* role, const ValuePtr& tensor) {
    if (!tensor || (tensor->shape->rank() == 1 && tensor->shape->numel() == channels)) return;
    fail(ErrorKind::kRuntime, "Expected ", role, " to be a vector of size equal to the number of channels in input, ",
         "but got ", role, " of shape ", listed(tensor), " and input of shape ", listed(x));
  };
  check_vector("weight", weight);
  check_vector("bias", bias);
  check_types(x, {weight.get(), bias.get()});
  if (dims.numel() == 0) return with_affine(clone(x), weight, bias);
  const ValuePtr rows = reshape(x, Shape::of({batch, groups, dims.numel() / (batch * groups)}));
  return labelled(with_affine(reshape(standardize(rows, 1, eps), x->shape), weight, bias), "NativeGroupNorm");
}

bool meets_wider(const ValuePtr& x, const ChannelNumbers& given) {
  bool any = false;
  for (const ValuePtr* tensor : {&given.running_mean, &given.running_var, &given.weight, &given.bias}) {
    if (!*tensor) continue;
    if ((*tensor)->dtype != DType::kFloat32) return false;
    any = true;
  }
  return any && is_narrow_float(x);
}

namespace {

void check_given(const ValuePtr& x, const ChannelNumbers& given) {
  check_types(x, {given.running_mean.get(), given.running_var.get(), given.weight.get(), given.bias.get()});
}

void check_channels(const ValuePtr& x, const ChannelNumbers& given) {
  const std::int64_t channels = (*x->shape)[1];
  const auto check_count = [&](const char* role, const ValuePtr& tensor) {
    check(!tensor || tensor->shape->numel() == channels, role, " should contain ", channels, " elements not ",
          tensor ? tensor->shape->numel() : 0);
  };
  check_count("running_mean", given.running_mean);
  check_count("running_var", given.running_var);
  check_count("weight", given.weight);
  check_count("bias", given.bias);
}

[[noreturn]] void refuse_size(const char* wanted, const ValuePtr& x) {
  fail(ErrorKind::kValue, "Expected more than 1 ", wanted, " when training, got input size torch.Size(", listed(x),
       ")");
}

// Over places first: sums where the numbers lie, not of a rearranged copy.
ValuePtr channel_mean(const ValuePtr& x) {
  DimVector places;
  for (int axis = 2; axis < x->shape->rank(); ++axis) places.push_back(axis);
  const ValuePtr along = places.empty() ? x : functions::mean(x, places, true, std::nullopt);
  return functions::mean(along, DimVector{0}, true, std::nullopt);
}

}  // namespace

void check_batch_norm(const ValuePtr& x, const ChannelNumbers& given, bool training, double eps) {
  check_floating("batch_norm", x);
  check_given(x, given);
  const Shape& dims = *x->shape;
  if (training && dims.rank() > 1) {
    std::int64_t values = dims[0];
    for (int axis = 2; axis < dims.rank(); ++axis) values *= dims[axis];
    if (values == 1) refuse_size("value per channel", x);
  }
  if (training && !(eps > 0)) fail(ErrorKind::kValue, "batch_norm eps must be positive during training, but got ", eps);
  if (dims.rank() < 2) {
    if (dims.numel() == 0) return;
    fail(ErrorKind::kRuntime, "batch_norm: expected an input (N, C, ...), got shape ", to_string(dims.dims()));
  }
  check_channels(x, given);
  check(training || (given.running_mean && given.running_var),
        "Expected running_mean and running_var to be defined when training=False");
}

void check_instance_norm(const ValuePtr& x, const ChannelNumbers& given) {
  check_floating("batch_norm", x);
  check_given(x, given);
  const Shape& dims = *x->shape;
  if (dims.rank() < 2)
    fail(ErrorKind::kRuntime, "instance_norm: expected an input (N, C, ...), got shape ", to_string(dims.dims()));
  std::int64_t values = 1;
  for (int axis = 2; axis < dims.rank(); ++axis) values *= dims[axis];
  if (values == 1) refuse_size("spatial element", x);
  check_channels(x, given);
}

Centered centered_by_batch(const ValuePtr& x) {
  ValuePtr mean = channel_mean(x), distances = x - mean;
  ValuePtr variance = channel_mean(build::square(distances));
  return {std::move(mean), std::move(distances), std::move(variance)};
}

Centered centered_by_running(const ValuePtr& x, const ChannelNumbers& given) {
  const int rank = x->shape->rank();
  ValuePtr mean = by_channel(given.running_mean, rank), distances = x - mean;
  return {std::move(mean), std::move(distances), by_channel(given.running_var, rank)};
}

ValuePtr scaled_by_channel(const Centered& x, const ChannelNumbers& given, double eps) {
  const int rank = x.distances->shape->rank();
  ValuePtr scale = build::rsqrt(x.variance + eps);
  if (given.weight) scale = scale * by_channel(given.weight, rank);
  ValuePtr result = x.distances * scale;
  if (given.bias) result = result + by_channel(given.bias, rank);
  return labelled(std::move(result), "NativeBatchNorm");
}

ValuePtr standardize_images(const ValuePtr& x, const ChannelNumbers& given, double eps) {
  return labelled(with_affine(standardize(x, x->shape->rank() - 2, eps), given.weight, given.bias), "View");
}

ValuePtr moved(const ValuePtr& running, const ValuePtr& found, double momentum) {
  const ValuePtr kept = functions::binary(Op::mul, running, Operand::of(1 - momentum));
  return functions::add(kept, reshape(found, running->shape), Operand::of(momentum));
}

}  // namespace lamina::functions

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

void check_types(const ValuePtr& x, const ValuePtr& weight, const ValuePtr& bias) {
  check((!weight || weight->dtype == x->dtype) && (!bias || bias->dtype == x->dtype),
        "mixed dtype (CPU): all inputs must share same datatype.");
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

ValuePtr with_affine(ValuePtr x, const ValuePtr& weight, const ValuePtr& bias) {
  if (weight) x = x * by_channel(weight, x->shape->rank());
  return bias ? x + by_channel(bias, x->shape->rank()) : x;
}

}  // namespace

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
  check_types(x, weight, bias);
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
  check_types(x, weight, bias);
  if (dims.numel() == 0) return with_affine(clone(x), weight, bias);
  const ValuePtr rows = reshape(x, Shape::of({batch, groups, dims.numel() / (batch * groups)}));
  return labelled(with_affine(reshape(standardize(rows, 1, eps), x->shape), weight, bias), "NativeGroupNorm");
}

}  // namespace lamina::functions

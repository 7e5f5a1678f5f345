// Convolutions of images, checked.
#include "functions/convolution.h"

#include "functions/pointwise.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::functions {

ValuePtr convolution(Op op, const ValuePtr& x, const ValuePtr& weight, Dims size, const Attribute* windows) {
  const Shape &in = *x->shape, &w = *weight->shape;
  const std::int64_t groups = (*windows)[6];
  check(in.rank() == 4 && w.rank() == 4 && size.size() == 2,
        "convolution: expected images (n, channels, height, width)");
  check(x->dtype == weight->dtype, "Input type (", scalar_name(x->dtype), ") and weight type (",
        scalar_name(weight->dtype), ") should be the same");
  check(is_differentiable(x->dtype), "\"convolution\" not implemented for '", scalar_name(x->dtype), "'");
  const std::int64_t channels = op == Op::convolution ? w[1] * groups : w[0];
  check(groups > 0 && w[0] >= groups && w[0] % groups == 0 && in[1] == channels, "convolution: ", groups,
        " groups of weight ", to_string(w.dims(), '[', ']'), " do not fit images ", to_string(in.dims(), '[', ']'));
  if (op == Op::convolution) return build::convolution(x, weight, Shape::of({in[0], w[0], size[0], size[1]}), windows);
  return build::convolution_input(x, weight, Shape::of({in[0], w[1] * groups, size[0], size[1]}), windows);
}

namespace {

// With a row of height 1 for a line.
ValuePtr as_images(const ValuePtr& x) {
  if (x->shape->rank() != 3) return x;
  const Shape& dims = *x->shape;
  return build::reshape(x, Shape::of({dims[0], dims[1], 1, dims[2]}));
}

bool fits(const ValuePtr& x, const ValuePtr& weight, const ValuePtr& bias, std::int64_t groups) {
  const Shape &in = *x->shape, &w = *weight->shape;
  if (in.rank() != w.rank() || weight->dtype != x->dtype || !is_differentiable(x->dtype)) return false;
  if (groups <= 0 || w[0] < groups || w[0] % groups != 0 || in[1] != w[1] * groups) return false;
  return !bias || (bias->dtype == x->dtype && bias->shape->rank() == 1 && bias->shape->numel() == w[0]);
}

}  // namespace

ValuePtr plain_convolution(const ValuePtr& x, const ValuePtr& weight, const ValuePtr& bias,
                           const WindowOptions& options, std::int64_t groups) {
  const std::size_t axes = options.strides.size();
  const Shape &in = *x->shape, &w = *weight->shape;
  if (static_cast<std::size_t>(in.rank()) != axes + 2 || !fits(x, weight, bias, groups)) return nullptr;
  DimVector size, windows;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::int64_t window = w[static_cast<int>(axis) + 2], stride = options.strides[axis];
    const std::int64_t room =
        in[static_cast<int>(axis) + 2] + 2 * options.paddings[axis] - options.dilations[axis] * (window - 1) - 1;
    if (window <= 0 || stride <= 0 || options.dilations[axis] <= 0 || options.paddings[axis] < 0 || room < 0)
      return nullptr;
    size.push_back(room / stride + 1);
  }
  const bool line = axes == 1;
  const auto add_pair = [&](const DimVector& numbers, std::int64_t for_height) {
    if (line) windows.push_back(for_height);
    windows.insert(windows.end(), numbers.begin(), numbers.end());
  };
  add_pair(options.strides, 1);
  add_pair(options.paddings, 0);
  add_pair(options.dilations, 1);
  windows.push_back(groups);
  const DimVector image = line ? DimVector{1, size[0]} : size;
  ValuePtr result = convolution(Op::convolution, as_images(x), as_images(weight), image, Attribute::of(windows));
  if (bias) result = build::add(result, build::reshape(bias, Shape::of({w[0], 1, 1})));
  if (line) result = build::reshape(result, Shape::of({in[0], w[0], size[0]}));
  return labelled(std::move(result), "Convolution");
}

}  // namespace lamina::functions

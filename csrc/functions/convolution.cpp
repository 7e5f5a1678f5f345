// Windows over images, checked.
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

const Shape* planes_of(const char* name, const ValuePtr& x, Dims size) {
  const Shape& in = *x->shape;
  check(in.rank() >= 2 && size.size() == 2, name, ": expected planes (…, height, width)");
  DimVector dims(in.dims().begin(), in.dims().end() - 2);
  dims.insert(dims.end(), size.begin(), size.end());
  return Shape::of(dims);
}

}  // namespace

ValuePtr max_pool_positions(const ValuePtr& x, Dims size, const Attribute* windows) {
  check(!is_complex(x->dtype), "max_pool: not implemented for '", scalar_name(x->dtype), "'");
  return build::max_pool_positions(build::detach(x), planes_of("max_pool", x, size), windows);
}

ValuePtr window_sums(const ValuePtr& x, Dims size, const Attribute* windows) {
  check(is_floating(x->dtype), "avg_pool: not implemented for '", scalar_name(x->dtype), "'");
  return build::window_sums(x, planes_of("avg_pool", x, size), windows);
}

ValuePtr max_pool(const ValuePtr& x, const ValuePtr& positions) {
  const auto planes = [](const Shape* shape) {
    DimVector dims(shape->dims().begin(), shape->dims().end() - 1);
    dims.back() *= (*shape)[shape->rank() - 1];
    return Shape::of(dims);
  };
  const int last = x->shape->rank() - 2;
  const ValuePtr picked =
      build::gather(build::reshape(x, planes(x->shape)), last, build::reshape(positions, planes(positions->shape)));
  return labelled(build::reshape(picked, positions->shape), "MaxPool2DWithIndices");
}

}  // namespace lamina::functions

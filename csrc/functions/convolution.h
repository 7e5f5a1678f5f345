// Convolutions of images, checked.
#pragma once

#include "functions/operand.h"
#include "ops/table.h"

namespace lamina::functions {

// op: convolution (of x and weight) or convolution_input (of y and weight); size: height and width of the result;
// windows: the attribute that op_list.inc describes. Raises what PyTorch does for channels and types that do not fit.
ValuePtr convolution(Op op, const ValuePtr& x, const ValuePtr& weight, Dims size, const Attribute* windows);
// Numbers of each axis.
struct WindowOptions {
  DimVector strides, paddings, dilations;
};
// conv1d and conv2d of a batch of floats, where everything fits: null if something does not, or is complained of.
ValuePtr plain_convolution(const ValuePtr& x, const ValuePtr& weight, const ValuePtr& bias,
                           const WindowOptions& options, std::int64_t groups);

}  // namespace lamina::functions

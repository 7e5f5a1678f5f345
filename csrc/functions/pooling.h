// Pooling: the largest, or the sum, of each window over lines and planes.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "functions/operand.h"

namespace lamina::functions {

// What a pooling function is told of its windows: numbers of each axis.
struct PoolOptions {
  DimVector kernel, strides, paddings, dilations;
};
// Raises PyTorch's errors, in the name of the function.
void check_pool(const std::string& name, const PoolOptions& options);

// Windows over an input, for two axes or more behind its channels: of one axis, it is the width.
struct PoolWindows {
  DimVector size;  // how many there are along each axis
  PoolOptions of;
  DimVector lengths;  // the input's

  // Does some window see nothing but padding, because its dilation steps over all else?
  bool may_be_empty() const;
  // Are all of equally many elements?
  bool are_whole(bool count_padding) const;
  // Are they so small, and without padding, that it is quicker to compare slices of all their elements?
  bool are_few_slices() const;
};
// Checked. ceil_mode: windows that begin inside and end outside count, too.
PoolWindows pool_windows(const std::string& name, const ValuePtr& x, const PoolOptions& options, bool ceil_mode);

// Over the planes of x (…, height, width); the largest, and where in its plane each is.
struct Pooled {
  ValuePtr values, positions;
};
Pooled max_pool_planes(const ValuePtr& x, const PoolWindows& windows);
// (N, C, L), (N, C, H, W), or without N.
Pooled max_pool(const ValuePtr& x, const PoolOptions& options, bool ceil_mode);
// Its values alone; where no gradient needs to know where they are, small windows are not searched for that.
ValuePtr largest_of_windows(const ValuePtr& x, const PoolOptions& options, bool ceil_mode);
// The means of floats in equally large windows, or sums divided by a number that is no tensor: null for all others.
ValuePtr plain_avg_pool(const ValuePtr& x, const PoolOptions& options, bool ceil_mode, bool count_padding,
                        const std::optional<Operand>& divisor);

// Pairs of numbers for rows and columns (window, stride, padding and, of the largest, dilation) as op_list.inc says.
const Attribute* pool_attribute(std::initializer_list<Dims> pairs);
// x: (…, height, width); size: height and width of the result.
ValuePtr max_pool_positions(const ValuePtr& x, Dims size, const Attribute* windows);
ValuePtr window_sums(const ValuePtr& x, Dims size, const Attribute* windows);

}  // namespace lamina::functions

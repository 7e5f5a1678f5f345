// Public functions that bring numbers to mean 0 and variance 1. float16 and bfloat16 are computed in float32 as a
// whole.
#pragma once

#include <optional>
#include <utility>

#include "graph/value.h"

namespace lamina::functions {

// The last axes, as one row of floating-point elements, to mean 0 and variance 1, which eps is added to.
ValuePtr standardize(const ValuePtr& x, int axes, double eps);

// weight and bias: null, or of the shape.
ValuePtr layer_norm(const ValuePtr& x, Dims shape, const ValuePtr& weight, const ValuePtr& bias, double eps);
// Without eps: the type's resolution.
ValuePtr rms_norm(const ValuePtr& x, Dims shape, const ValuePtr& weight, std::optional<double> eps);
// x (batch, channels, ...); weight and bias: null, or a number a channel.
ValuePtr group_norm(const ValuePtr& x, std::int64_t groups, const ValuePtr& weight, const ValuePtr& bias, double eps);

// What normalization by channels (axis 1 of x) reads besides the input: each null, or a number a channel.
struct ChannelNumbers {
  ValuePtr running_mean, running_var, weight, bias;
};
// Are x float16 or bfloat16 and all of these float32? Then it is computed in float32.
bool meets_wider(const ValuePtr& x, const ChannelNumbers& given);
// Raise PyTorch's errors; `training`: by the batch's own moments.
void check_batch_norm(const ValuePtr& x, const ChannelNumbers& given, bool training, double eps);
void check_instance_norm(const ValuePtr& x, const ChannelNumbers& given);

// The mean of each channel, and the distances from it.
struct Centered {
  ValuePtr mean, distances, variance;
};
Centered centered_by_batch(const ValuePtr& x);
Centered centered_by_running(const ValuePtr& x, const ChannelNumbers& given);
// Divided by the deviation, times weight, plus bias.
ValuePtr scaled_by_channel(const Centered& x, const ChannelNumbers& given, double eps);
// x, of all its numbers a sample and channel.
ValuePtr standardize_images(const ValuePtr& x, const ChannelNumbers& given, double eps);
// Times weight, plus bias.
ValuePtr with_affine(ValuePtr x, const ValuePtr& weight, const ValuePtr& bias);
// The running number, nearer to the found one by `momentum`.
ValuePtr moved(const ValuePtr& running, const ValuePtr& found, double momentum);

}  // namespace lamina::functions

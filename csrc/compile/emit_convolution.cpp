// Emits the steps of windows over images.
#include "compile/emitter.h"

namespace lamina {

namespace {

void read_pair(std::int64_t (&pair)[2], const Attribute& values, std::size_t at) {
  pair[0] = values[at], pair[1] = values[at + 1];
}
void read_size(std::int64_t (&pair)[2], const Shape* shape) {
  pair[0] = (*shape)[shape->rank() - 2], pair[1] = (*shape)[shape->rank() - 1];
}

}  // namespace

void Emitter::emit_convolution(std::uint32_t index) {
  const Node node = program_[index];
  if (node.shape->numel() == 0) return;
  ConvolutionStep step{};
  step.kind = static_cast<Convolution>(row(node.op).kernel.member);
  step.dtype = node.dtype;
  // Which node is x, weight and y, by kind.
  const std::uint32_t first = node.operands[0], second = node.operands[1];
  const std::uint32_t x = step.kind == Convolution::input ? index : first;
  const std::uint32_t weight = step.kind == Convolution::weight ? index : second;
  const std::uint32_t y = step.kind == Convolution::forward ? index : step.kind == Convolution::input ? first : second;
  const Shape &images = *program_[x].shape, &weights = *program_[weight].shape;
  step.images = images[0];
  step.channels = images[1];
  step.out = weights[0];
  step.groups = (*node.attribute)[6];
  read_size(step.x_size, &images);
  read_size(step.window, &weights);
  read_size(step.y_size, program_[y].shape);
  read_pair(step.stride, *node.attribute, 0);
  read_pair(step.padding, *node.attribute, 2);
  read_pair(step.dilation, *node.attribute, 4);
  const Location a = contiguous(first), b = contiguous(second), result = location(index);
  step.x = step.kind == Convolution::input ? result : a;
  step.weight = step.kind == Convolution::weight ? result : b;
  step.y = step.kind == Convolution::forward ? result : step.kind == Convolution::input ? a : b;
  if (step.kind == Convolution::input) step.rearranged = temporary(&weights, node.dtype);
  const std::int64_t products = weights.numel() * step.images * step.y_size[0] * step.y_size[1];
  add(step,
      text(row(node.op).name, " ", to_string(images.dims(), '[', ']'), " * ", to_string(weights.dims(), '[', ']')),
      static_cast<double>(products) / 25);
}

void Emitter::emit_max_pool(std::uint32_t index) {
  const Node node = program_[index];
  if (node.shape->numel() == 0) return;
  const Node& operand = program_[node.operands[0]];
  MaxPoolStep step{};
  step.dtype = operand.dtype;
  read_size(step.x_size, operand.shape);
  read_size(step.y_size, node.shape);
  step.planes = node.shape->numel() / (step.y_size[0] * step.y_size[1]);
  read_pair(step.window, *node.attribute, 0);
  read_pair(step.stride, *node.attribute, 2);
  read_pair(step.padding, *node.attribute, 4);
  read_pair(step.dilation, *node.attribute, 6);
  step.x = contiguous(node.operands[0]);
  step.positions = location(index);
  add(step, text("max_pool_positions x ", node.shape->numel()),
      2 * static_cast<double>(node.shape->numel() * step.window[0] * step.window[1]));
}

}  // namespace lamina

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
  if (emit_as_product(step, row(node.op).name)) return;
  if (step.kind == Convolution::input) step.rearranged = temporary(&weights, node.dtype);
  const std::int64_t products = weights.numel() * step.images * step.y_size[0] * step.y_size[1];
  add(step,
      note(row(node.op).name, " ", to_string(images.dims(), '[', ']'), " * ", to_string(weights.dims(), '[', ']')),
      static_cast<double>(products) / 25);
}

// Windows of one element are matrix products, of the weight with each image as a matrix (channels, places). Back to the
// image the weight would be read by columns, which takes longer than packing windows.
bool Emitter::emit_as_product(const ConvolutionStep& step, const char* name) {
  constexpr std::int64_t kFewPlaces = 64;  // below, windows of several images share a panel
  const std::int64_t places = step.y_size[0] * step.y_size[1];
  const bool forward = step.kind == Convolution::forward;
  bool plain = step.kind != Convolution::weight && step.groups == 1 && places >= kFewPlaces;
  for (int axis = 0; axis < 2; ++axis)
    plain &= step.window[axis] == 1 && step.stride[axis] == 1 && step.padding[axis] == 0 &&
             step.x_size[axis] == step.y_size[axis];
  if (!plain || step.channels == 0) return false;
  MatmulStep product{};
  product.dtype = step.dtype;
  product.m = forward ? step.out : step.channels;
  product.k = forward ? step.channels : step.out;
  product.n = places;
  product.a_row = forward ? step.channels : 1;
  product.a_column = forward ? 1 : step.channels;
  product.b_row = places;
  product.b_column = 1;
  product.a = step.weight;
  product.b = forward ? step.x : step.y;
  product.c = forward ? step.y : step.x;
  for (std::int64_t image = 0; image < step.images; ++image) {
    product.a_offsets.push_back(0);
    product.b_offsets.push_back(image * product.k * places);
    product.c_offsets.push_back(image * product.m * places);
  }
  const double work = static_cast<double>(step.images * product.m * product.k * places);
  add(std::move(product), note(name, " as matmul"), work / 25);
  return true;
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
  add(step, note("max_pool_positions x ", node.shape->numel()),
      2 * static_cast<double>(node.shape->numel() * step.window[0] * step.window[1]));
}

void Emitter::emit_window_sums(std::uint32_t index) {
  const Node node = program_[index];
  if (node.shape->numel() == 0) return;
  const Shape* operand = program_[node.operands[0]].shape;
  WindowSumsStep step{};
  step.back = node.is_op(Op::window_sums_input);
  step.dtype = node.dtype;
  read_size(step.in_size, operand);
  read_size(step.out_size, node.shape);
  step.planes = node.shape->numel() / (step.out_size[0] * step.out_size[1]);
  read_pair(step.window, *node.attribute, 0);
  read_pair(step.stride, *node.attribute, 2);
  read_pair(step.padding, *node.attribute, 4);
  step.in = contiguous(node.operands[0]);
  step.out = location(index);
  add(step, note(row(node.op).name, " x ", node.shape->numel()),
      static_cast<double>(operand->numel() + node.shape->numel()));
}

void Emitter::emit_extend(std::uint32_t index) {
  const Node node = program_[index];
  if (node.shape->numel() == 0) return;
  const Shape* operand = program_[node.operands[0]].shape;
  ExtendStep step{};
  step.back = node.is_op(Op::extend_input);
  step.borders = static_cast<Borders>((*node.attribute)[0]);
  step.dtype = node.dtype;
  const Shape &x = step.back ? *node.shape : *operand, &y = step.back ? *operand : *node.shape;
  const int axes = static_cast<int>(node.attribute->size() / 2), rank = x.rank();
  step.planes = 1;
  for (int axis = 0; axis < rank - axes; ++axis) step.planes *= x[axis];
  for (int axis = 0; axis < 3; ++axis) {
    const int skipped = 3 - axes, at = rank - 3 + axis;
    const bool there = axis >= skipped;
    step.x_size[axis] = there ? x[at] : 1;
    step.y_size[axis] = there ? y[at] : 1;
    step.before[axis] = there ? (*node.attribute)[static_cast<std::size_t>(1 + 2 * (axis - skipped))] : 0;
  }
  (step.back ? step.y : step.x) = contiguous(node.operands[0]);
  (step.back ? step.x : step.y) = location(index);
  add(step, note(row(node.op).name, " x ", node.shape->numel()),
      static_cast<double>(operand->numel() + node.shape->numel()) / 4);
}

}  // namespace lamina

// Builders and gradients of windows over images.
#include "ops/gradient.h"

namespace lamina {

namespace build {

ValuePtr convolution(const ValuePtr& x, const ValuePtr& weight, const Shape* shape, const Attribute* windows) {
  return record(Op::convolution, {x.get(), weight.get()}, shape, x->dtype, windows);
}
ValuePtr convolution_input(const ValuePtr& y, const ValuePtr& weight, const Shape* shape, const Attribute* windows) {
  return record(Op::convolution_input, {y.get(), weight.get()}, shape, y->dtype, windows);
}
ValuePtr convolution_weight(const ValuePtr& x, const ValuePtr& y, const Shape* shape, const Attribute* windows) {
  return record(Op::convolution_weight, {x.get(), y.get()}, shape, x->dtype, windows);
}
ValuePtr max_pool_positions(const ValuePtr& x, const Shape* shape, const Attribute* windows) {
  return record(Op::max_pool_positions, {x.get()}, shape, DType::kInt64, windows);
}
ValuePtr window_sums(const ValuePtr& x, const Shape* shape, const Attribute* windows) {
  return record(Op::window_sums, {x.get()}, shape, x->dtype, windows);
}
ValuePtr window_sums_input(const ValuePtr& y, const Shape* shape, const Attribute* windows) {
  return record(Op::window_sums_input, {y.get()}, shape, y->dtype, windows);
}

}  // namespace build

namespace gradient {

// One form that is linear in x, weight and y: each op is its derivative by one of them, so each one's gradients are the
// other two.
void convolution(Gradient& d) {
  d.give(0, [&] { return build::convolution_input(d.g(), d.y(), d.shape(0), &d.attribute()); });
  d.give(1, [&] { return build::convolution_weight(d.x(), d.g(), d.shape(1), &d.attribute()); });
}
void convolution_input(Gradient& d) {
  d.give(0, [&] { return build::convolution(d.g(), d.y(), d.shape(0), &d.attribute()); });
  d.give(1, [&] { return build::convolution_weight(d.g(), d.x(), d.shape(1), &d.attribute()); });
}
void convolution_weight(Gradient& d) {
  d.give(0, [&] { return build::convolution_input(d.y(), d.g(), d.shape(0), &d.attribute()); });
  d.give(1, [&] { return build::convolution(d.x(), d.g(), d.shape(1), &d.attribute()); });
}

// Linear, and each other's adjoint.
void window_sums(Gradient& d) {
  d.give(0, [&] { return build::window_sums_input(d.g(), d.shape(0), &d.attribute()); });
}
void window_sums_input(Gradient& d) {
  d.give(0, [&] { return build::window_sums(d.g(), d.shape(0), &d.attribute()); });
}

}  // namespace gradient
}  // namespace lamina

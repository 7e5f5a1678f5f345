// Random programs over rows of real numbers: what nets do with them, and passes fuse. Rows that are standardized,
// scaled and shifted, softmax with masks, products with several epilogues, sums of products along any axes, parts and
// views.
//
// Results differ in their last digits with the order of evaluation. So nothing has a jump, and kinks are only met by
// numbers that are not 0 but for those that are exactly 0 in any order.
#pragma once

#include "random_instructions.h"

namespace lamina::testing {

class RandomRows {
 public:
  using Kind = Instruction::Kind;

  // What a gradient will read is kept, and so not a part of another step.
  RandomRows(unsigned seed, int length, bool differentiable) : random_(seed), differentiable_(differentiable) {
    constexpr std::int64_t kColumns[] = {5, 33, 40, 64, 100, 300}, kRows[] = {1, 2, 3, 5, 8, 17};
    if (chance(3))  // large enough for blocks of rows
      rows_ = 30, groups_ = 20, columns_ = 500;
    else
      rows_ = kRows[pick(6)], groups_ = 1 + static_cast<std::int64_t>(pick(3)), columns_ = kColumns[pick(6)];
    for (int i = 0; i < 2; ++i) add_input(Shape::of({groups_, rows_, columns_}), true);
    for (int i = 0; i < length; ++i) add_one();
  }

  const std::vector<Instruction>& instructions() const { return instructions_; }
  std::optional<std::size_t> root() const { return held_.back(); }
  std::string listing() const { return list(instructions_); }

 private:
  std::size_t pick(std::size_t count) { return random_() % count; }
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::size_t pick_value() { return held_[held_.size() - 1 - std::min(pick(held_.size()), pick(held_.size()))]; }
  // Of at least two axes, and rows that have elements.
  std::size_t pick_rows() {
    for (int attempt = 0; attempt < 10; ++attempt)
      if (std::size_t x = pick_value(); shapes_[x]->rank() >= 2 && last_of(x) > 1) return x;
    return 0;
  }
  std::int64_t last_of(std::size_t x) const { return shapes_[x]->dims().back(); }

  std::size_t push(Kind kind, std::vector<std::size_t> operands, Op op, const Shape* shape, double bound,
                   DimVector numbers = {}) {
    bounds_.push_back(bound);
    shapes_.push_back(shape);
    held_.push_back(shapes_.size() - 1);
    instructions_.push_back({kind, std::move(operands), op, shape, DType::kFloat64, std::move(numbers)});
    return shapes_.size() - 1;
  }
  std::size_t add_input(const Shape* shape, bool parameter) {
    DimVector numbers;
    for (std::int64_t i = 0; i < shape->numel(); ++i) numbers.push_back(static_cast<std::int64_t>(pick(1 << 20)));
    const std::size_t input = push(Kind::kRealInput, {}, Op::add, shape, 1, std::move(numbers));
    instructions_.back().parameter = parameter && differentiable_;
    return input;
  }
  void drop(std::vector<std::size_t> values) {
    for (std::size_t value : values) held_.erase(std::find(held_.begin(), held_.end(), value));
    if (!values.empty()) instructions_.push_back({Kind::kDrop, std::move(values)});
  }

  std::size_t unary(Op op, std::size_t x) {
    return push(Kind::kUnary, {x}, op, shapes_[x],
                op == Op::tanh     ? 1
                : op == Op::square ? bounds_[x] * bounds_[x]
                                   : bounds_[x]);
  }
  std::size_t small(std::size_t x, double limit = 50) { return bounds_[x] > limit ? unary(Op::tanh, x) : x; }
  std::size_t binary(Op op, std::size_t a, std::size_t b) {
    a = small(a), b = small(b);
    if (chance(50) && op != Op::sub) std::swap(a, b);
    const double bound = op == Op::mul ? bounds_[a] * bounds_[b] : bounds_[a] + bounds_[b];
    return push(Kind::kBinary, {a, b}, op, broadcast(shapes_[a], shapes_[b]), bound);
  }
  std::size_t scaled(std::size_t x) {
    return push(Kind::kScaled, {x}, Op::mul, shapes_[x], 3 * bounds_[x], {chance(50) ? 3 : -2});
  }
  bool fit(std::size_t a, std::size_t b) const {
    try {
      return broadcast(shapes_[a], shapes_[b])->numel() <= 2 * shapes_[0]->numel();
    } catch (const Error&) {
      return false;
    }
  }
  // One that goes with x: itself, one that is there, or one over its columns, its rows or all of it.
  std::size_t beside(std::size_t x) {
    if (const std::size_t other = pick_value(); chance(30) && fit(x, other)) return other;
    DimVector dims(shapes_[x]->dims().begin(), shapes_[x]->dims().end());
    if (!dims.empty() && chance(30)) dims.back() = 1;
    if (dims.size() > 1 && chance(50)) dims.erase(dims.begin(), dims.end() - 1);
    return add_input(Shape::of(dims), chance(60));
  }

  std::size_t standardized(std::size_t x) {
    std::size_t at = push(Kind::kStandardize, {x}, Op::standardize, shapes_[x], 20);
    std::vector<std::size_t> between;
    const bool usual = chance(60);
    for (Op op : {Op::mul, Op::add, Op::mul}) {
      if (usual ? between.size() == 2 : chance(40)) continue;
      between.push_back(at);
      at = binary(op, at, add_input(Shape::of({last_of(x)}), chance(80)));
    }
    if (chance(70)) drop(between);
    return at;
  }
  // One, or two whose gradients meet.
  void add_standardized() {
    const std::size_t x = small(pick_rows()), one = standardized(x);
    if (chance(70)) return;
    const std::size_t other = standardized(chance(50) ? unary(Op::tanh, x) : add_input(shapes_[x], true));
    binary(Op::add, one, other);
    if (chance(50)) drop({one, other});
  }
  void add_softmax() {
    constexpr Op kOps[] = {Op::softmax, Op::softmax, Op::log_softmax, Op::logsumexp};
    std::size_t x = small(pick_rows());
    const Op op = kOps[pick(4)];
    if (chance(40)) x = scaled(x);
    if (chance(60)) {
      const std::int64_t masked = op == Op::softmax ? -10000 : -30;
      const std::size_t mask = beside(x);
      x = push(Kind::kMasked, {x, mask}, Op::where, broadcast(shapes_[x], shapes_[mask]), bounds_[x], {masked});
    }
    const std::int64_t axis = chance(80) ? -1 : -2;
    const Shape* shape = shapes_[x];
    if (op == Op::logsumexp) shape = build::reduced_shape(shape, DimVector{shape->rank() + axis}, false);
    const std::size_t y = push(Kind::kRowwise, {x}, op, shape, op == Op::softmax ? 1 : 200, {axis});
    if (chance(40)) binary(Op::mul, y, beside(y));
  }
  void add_product() {
    const std::size_t x = small(pick_rows());
    constexpr std::int64_t kOut[] = {1, 4, 16, 33, 64};
    const std::int64_t k = last_of(x), n = chance(30) ? columns_ : kOut[pick(5)];
    const bool turned = chance(50);
    const std::size_t weight = add_input(turned ? Shape::of({n, k}) : Shape::of({k, n}), chance(80));
    DimVector dims(shapes_[x]->dims().begin(), shapes_[x]->dims().end());
    dims.back() = n;
    const Shape* shape = Shape::of(dims);
    std::size_t at =
        push(Kind::kMatmul, {x, weight}, Op::matmul, shape, bounds_[x] * static_cast<double>(k), {0, turned});
    for (std::size_t more = pick(4); more > 0; --more) {
      const std::size_t before = at;
      switch (pick(6)) {
        case 0:
          at = binary(Op::add, at, add_input(Shape::of({n}), chance(80)));
          break;
        case 1:
          at = unary(Op::relu, at);
          break;
        case 2:
          at = binary(Op::add, at, add_input(shape, chance(50)));
          break;
        case 3:
          at = push(Kind::kBinary, {add_input(shape, false), at}, Op::relu_gradient, shape, bounds_[at]);
          break;
        case 4:
          at = scaled(at);
          break;
        default:
          at = binary(Op::sub, add_input(shape, chance(30)), scaled(at));
      }
      if (chance(70)) drop({before});
    }
  }
  void add_sum_of_products() {
    const std::size_t a = small(pick_rows()), product = binary(Op::mul, a, beside(a));
    const Shape* shape = shapes_[product];
    DimVector axes;
    for (int axis = 0; axis < shape->rank(); ++axis)
      if (chance(40)) axes.push_back(axis);
    const bool keepdim = chance(60);
    DimVector numbers = axes;
    numbers.push_back(keepdim);
    const std::size_t sum = push(Kind::kReduce, {product}, Op::sum, build::reduced_shape(shape, axes, keepdim),
                                 bounds_[product] * static_cast<double>(shape->numel()), numbers);
    if (chance(80)) drop({product});
    if (fit(a, sum) && chance(60)) binary(chance(50) ? Op::sub : Op::mul, a, sum);
  }
  void add_part() {
    const std::size_t x = pick_rows();
    DimVector dims(shapes_[x]->dims().begin(), shapes_[x]->dims().end());
    const std::size_t rank = dims.size();
    DimVector part(rank, 0);
    part.resize(2 * rank, 1);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      if (chance(50) || dims[axis] < 2) continue;
      part[axis] = static_cast<std::int64_t>(pick(static_cast<std::size_t>(dims[axis] - 1)));
      part[rank + axis] = 1 + static_cast<std::int64_t>(pick(2));
      dims[axis] = (dims[axis] - part[axis] - 1) / part[rank + axis] + 1;
    }
    if (chance(50)) {
      push(Kind::kSlice, {x}, Op::slice, Shape::of(dims), bounds_[x], part);
    } else {
      std::size_t source = add_input(Shape::of(dims), chance(60));
      if (chance(50)) source = unary(Op::tanh, source);
      push(Kind::kSliceUpdate, {x, source}, Op::slice_update, shapes_[x], bounds_[x] + 1, part);
    }
  }
  void add_view() {
    const std::size_t x = pick_rows();
    const auto dims = shapes_[x]->dims();
    if (chance(50)) {
      push(Kind::kReshape, {x}, Op::reshape, Shape::of({shapes_[x]->numel() / dims.back(), dims.back()}), bounds_[x]);
      return;
    }
    DimVector axes = build::all_axes(shapes_[x]), turned;
    std::shuffle(axes.begin(), axes.end(), random_);
    for (std::int64_t axis : axes) turned.push_back(dims[static_cast<std::size_t>(axis)]);
    push(Kind::kPermute, {x}, Op::permute, Shape::of(turned), bounds_[x], axes);
  }
  void add_one() {
    constexpr Op kUnary[] = {Op::tanh, Op::square, Op::neg, Op::tanh}, kBinary[] = {Op::add, Op::sub, Op::mul};
    const std::size_t choice = pick(100);
    if (choice < 18) return add_standardized();
    if (choice < 34) return add_softmax();
    if (choice < 50) return add_product();
    if (choice < 62) return add_sum_of_products();
    if (choice < 69) return add_part();
    if (choice < 75) return add_view();
    if (choice < 82) return static_cast<void>(unary(kUnary[pick(4)], small(pick_value())));
    const std::size_t x = pick_value();
    if (choice < 92) return static_cast<void>(binary(kBinary[pick(3)], x, beside(x)));
    if (choice < 95) return instructions_.push_back({Kind::kFlush, {}});
    std::vector<std::size_t> dropped;
    for (std::size_t value : held_)
      if (value > 0 && held_.size() - dropped.size() > 2 && chance(40)) dropped.push_back(value);
    drop(std::move(dropped));
  }

  std::mt19937 random_;
  bool differentiable_;
  std::int64_t rows_, groups_, columns_;
  std::vector<Instruction> instructions_;
  std::vector<const Shape*> shapes_;
  std::vector<double> bounds_;
  std::vector<std::size_t> held_;
};

}  // namespace lamina::testing

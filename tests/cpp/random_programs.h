// Random programs over small tensors of small integers, so that every order of evaluation gives exactly the same
// numbers. Of real numbers: random_rows.h.
#pragma once

#include "random_instructions.h"

namespace lamina::testing {

class RandomProgram {
 public:
  using Kind = Instruction::Kind;

  // long_rows: of more elements than a tile needs to have for sums to do without one.
  RandomProgram(unsigned seed, int length, bool differentiable, bool long_rows = false)
      : random_(seed), differentiable_(differentiable), long_rows_(long_rows) {
    for (int i = 0; i < 3; ++i) add_input();
    for (int i = 0; i < length; ++i) add_one();
  }

  const std::vector<Instruction>& instructions() const { return instructions_; }
  // The last floating result that is still held, to be differentiated.
  std::optional<std::size_t> root() const {
    for (std::size_t i = held_.size(); i-- > 0;)
      if (shapes_[held_[i]]->numel() > 0 && is_floating(dtypes_[held_[i]])) return held_[i];
    return std::nullopt;
  }

  std::string listing() const { return list(instructions_); }

 private:
  static constexpr double kLargest = 1 << 20;

  std::size_t pick(std::size_t count) { return random_() % count; }
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::size_t pick_value() { return held_[held_.size() - 1 - std::min(pick(held_.size()), pick(held_.size()))]; }

  std::size_t push(Instruction one, double bound) {
    std::size_t number = shapes_.size();
    shapes_.push_back(one.shape);
    dtypes_.push_back(one.dtype);
    bounds_.push_back(bound);
    held_.push_back(number);
    instructions_.push_back(std::move(one));
    return number;
  }

  const Shape* random_shape() {
    if (long_rows_) return Shape::of({2, chance(20) ? 1 : 515});
    DimVector dims(pick(4));
    for (auto& size : dims) size = static_cast<std::int64_t>(chance(4) ? 0 : 1 + pick(4));
    if (chance(5)) dims = {33, 17};  // beyond one tile
    return Shape::of(dims);
  }

  void add_input(const Shape* shape = nullptr, std::optional<DType> wanted = {}) {
    constexpr DType kTypes[] = {DType::kFloat64, DType::kFloat32, DType::kInt64, DType::kFloat64};
    Instruction one{Kind::kInput, {}};
    one.shape = shape ? shape : random_shape();
    one.dtype = wanted ? *wanted : differentiable_ ? DType::kFloat64 : kTypes[pick(4)];
    for (std::int64_t i = 0; i < one.shape->numel(); ++i) one.numbers.push_back(static_cast<std::int64_t>(pick(5)) - 2);
    one.parameter = differentiable_ && chance(60);
    push(std::move(one), 2);
  }

  // `x` itself, or its signs if it has become large.
  std::size_t small(std::size_t x, double limit = 1000) {
    if (bounds_[x] <= limit) return x;
    return push({Kind::kUnary, {x}, Op::sign, shapes_[x], dtypes_[x], {}}, 1);
  }
  std::size_t cast(std::size_t x, DType dtype) {
    if (dtypes_[x] == dtype) return x;
    return push({Kind::kCast, {x}, Op::cast, shapes_[x], dtype, {}}, bounds_[x]);
  }
  // Sums of integers are sums of int64.
  std::size_t summable(std::size_t x) { return dtypes_[x] == DType::kInt32 ? cast(x, DType::kInt64) : x; }
  const Shape* broadcast_of(std::size_t a, std::size_t b) {
    try {
      return broadcast(shapes_[a], shapes_[b]);
    } catch (const Error&) {
      return nullptr;
    }
  }

  void add_unary() {
    constexpr Op kOps[] = {Op::neg, Op::relu, Op::abs, Op::square, Op::relu};
    std::size_t x = small(pick_value());
    Op op = kOps[pick(5)];
    push({Kind::kUnary, {x}, op, shapes_[x], dtypes_[x], {}}, op == Op::square ? bounds_[x] * bounds_[x] : bounds_[x]);
  }
  void add_binary() {
    constexpr Op kOps[] = {Op::add, Op::sub, Op::mul, Op::maximum, Op::add};
    std::size_t a = pick_value(), b = pick_value();
    for (int attempt = 0; attempt < 10 && !broadcast_of(a, b); ++attempt) b = pick_value();
    const Shape* shape = broadcast_of(a, b);
    if (!shape || shape->numel() > 2000) return add_unary();
    a = small(a);
    b = small(cast(b, dtypes_[a]));
    Op op = kOps[pick(5)];
    if (chance(15)) {
      push({Kind::kWhere, {a, b}, Op::where, shape, dtypes_[a], {}}, std::max(bounds_[a], bounds_[b]));
      return;
    }
    double bound = op == Op::mul ? bounds_[a] * bounds_[b] : bounds_[a] + bounds_[b];
    push({Kind::kBinary, {a, b}, op, shape, dtypes_[a], {}}, bound);
  }
  void add_scaled() {
    std::size_t x = small(pick_value());
    push({Kind::kScaled, {x}, Op::mul, shapes_[x], dtypes_[x], {static_cast<std::int64_t>(pick(4)) - 1}},
         3 * bounds_[x]);
  }
  void add_cast() {
    constexpr DType kTypes[] = {DType::kFloat64, DType::kFloat32, DType::kInt64, DType::kInt32};
    if (differentiable_) return add_unary();
    std::size_t x = pick_value();
    if (bounds_[x] < kLargest) cast(x, kTypes[pick(4)]);
  }
  void add_reduce() {
    std::size_t x = small(summable(pick_value()));
    DimVector axes;
    for (int axis = 0; axis < shapes_[x]->rank(); ++axis)
      if (chance(50)) axes.push_back(axis);
    bool keepdim = chance(50);
    const Shape* shape = build::reduced_shape(shapes_[x], axes, keepdim);
    DimVector numbers = axes;
    numbers.push_back(keepdim);
    push({Kind::kReduce, {x}, Op::sum, shape, dtypes_[x], numbers}, bounds_[x] * (shapes_[x]->numel() + 1.0));
  }
  void add_sum_of_products() {
    std::size_t a = small(summable(pick_value())), b = small(cast(pick_value(), dtypes_[a]));
    const Shape* shape = broadcast_of(a, b);
    if (!shape || shape->rank() == 0) return add_unary();
    const std::size_t product = push({Kind::kBinary, {a, b}, Op::mul, shape, dtypes_[a], {}}, bounds_[a] * bounds_[b]);
    const DimVector last{shape->rank() - 1}, numbers{shape->rank() - 1, 1};
    push({Kind::kReduce, {product}, Op::sum, build::reduced_shape(shape, last, true), dtypes_[a], numbers},
         bounds_[product] * 515);
    if (chance(80)) drop({product});
  }
  void add_matmul() {
    std::size_t a = pick_value();
    if (shapes_[a]->rank() < 2) return add_reduce();
    a = small(a, 50);
    bool ta = chance(40), tb = chance(40);
    int rank = shapes_[a]->rank();
    std::int64_t m = (*shapes_[a])[rank - (ta ? 1 : 2)], k = (*shapes_[a])[rank - (ta ? 2 : 1)];
    auto n = static_cast<std::int64_t>(chance(5) ? 0 : 1 + pick(4));
    DimVector other(tb ? DimVector{n, k} : DimVector{k, n});
    if (rank == 3 && chance(50)) other.insert(other.begin(), (*shapes_[a])[0]);
    add_input(Shape::of(other), dtypes_[a]);
    std::size_t b = shapes_.size() - 1;
    DimVector dims(shapes_[a]->dims().begin(), shapes_[a]->dims().end());
    dims[static_cast<std::size_t>(rank - 2)] = m;
    dims[static_cast<std::size_t>(rank - 1)] = n;
    std::size_t product = push({Kind::kMatmul, {a, b}, Op::matmul, Shape::of(dims), dtypes_[a], {ta, tb}},
                               bounds_[a] * 2 * (static_cast<double>(k) + 1));
    if (chance(60)) {  // what an epilogue takes
      add_input(Shape::of({n}), dtypes_[a]);
      std::size_t bias = shapes_.size() - 1;
      std::vector<std::size_t> operands{product, bias};
      if (chance(50)) std::swap(operands[0], operands[1]);
      product = push({Kind::kBinary, operands, Op::add, Shape::of(dims), dtypes_[a], {}}, bounds_[product] + 2);
    }
    if (chance(50))
      product = push({Kind::kUnary, {product}, Op::relu, Shape::of(dims), dtypes_[a], {}}, bounds_[product]);
    if (chance(20)) {
      add_input(Shape::of(dims), dtypes_[a]);
      std::vector<std::size_t> operands{shapes_.size() - 1, product};
      Op op = chance(50) ? Op::relu_gradient : Op::add;
      product = push({Kind::kBinary, operands, op, Shape::of(dims), dtypes_[a], {}}, bounds_[product] + 2);
    }
    if (chance(20)) add_update(product);
  }
  // As an optimizer's, of something that may then be dropped.
  void add_update(std::size_t gradient) {
    add_input(shapes_[gradient], dtypes_[gradient]);
    std::size_t base = shapes_.size() - 1;
    std::size_t scaled =
        push({Kind::kScaled, {gradient}, Op::mul, shapes_[gradient], dtypes_[gradient], {3}}, 3 * bounds_[gradient]);
    push({Kind::kBinary, {base, scaled}, Op::sub, shapes_[gradient], dtypes_[gradient], {}},
         bounds_[base] + bounds_[scaled]);
    if (chance(60)) drop({base, scaled});
  }
  void add_view() {
    std::size_t x = pick_value();
    const Shape* shape = shapes_[x];
    int rank = shape->rank();
    auto view = [&](Kind kind, const DimVector& dims, DimVector numbers) {
      push({kind, {x}, Op::add, Shape::of(dims), dtypes_[x], std::move(numbers)}, bounds_[x]);
    };
    DimVector dims(shape->dims().begin(), shape->dims().end());
    switch (pick(4)) {
      case 0: {  // any factorisation
        std::int64_t rest = shape->numel();
        if (rest == 0) return;
        DimVector factors;
        while (rest > 1) {
          std::int64_t factor = 2;
          while (rest % factor) ++factor;
          if (chance(40) && !factors.empty())
            factors.back() *= factor;
          else
            factors.push_back(factor);
          rest /= factor;
        }
        std::shuffle(factors.begin(), factors.end(), random_);
        if (chance(30)) factors.insert(factors.begin() + static_cast<std::ptrdiff_t>(pick(factors.size() + 1)), 1);
        return view(Kind::kReshape, factors, {});
      }
      case 1: {
        DimVector axes = build::all_axes(shape);
        std::shuffle(axes.begin(), axes.end(), random_);
        for (std::size_t i = 0; i < axes.size(); ++i) dims[i] = (*shape)[static_cast<int>(axes[i])];
        return view(Kind::kPermute, dims, axes);
      }
      case 2: {
        for (auto& size : dims)
          if (size == 1 && chance(60)) size = static_cast<std::int64_t>(1 + pick(3));
        if (chance(40)) dims.insert(dims.begin(), static_cast<std::int64_t>(1 + pick(3)));
        if (Shape::of(dims)->numel() > 2000) return;
        return view(Kind::kExpand, dims, {});
      }
      default: {
        if (rank == 0) return add_unary();
        view(Kind::kSlice, dims, random_slice(dims));
      }
    }
  }
  // Starts and steps of a part of `dims`, which become the part's sizes.
  DimVector random_slice(DimVector& dims) {
    DimVector starts(dims.size(), 0), steps(dims.size(), 1);
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      std::int64_t size = dims[axis];
      if (size == 0 || chance(40)) continue;
      steps[axis] = static_cast<std::int64_t>(1 + pick(2)) * (chance(30) ? -1 : 1);
      starts[axis] = static_cast<std::int64_t>(pick(static_cast<std::size_t>(size)));
      std::int64_t most =
          steps[axis] > 0 ? (size - starts[axis] - 1) / steps[axis] + 1 : starts[axis] / -steps[axis] + 1;
      dims[axis] = static_cast<std::int64_t>(1 + pick(static_cast<std::size_t>(most)));
    }
    starts.insert(starts.end(), steps.begin(), steps.end());
    return starts;
  }
  void add_slice_update() {
    std::size_t base = pick_value();
    if (shapes_[base]->rank() == 0) return add_unary();
    DimVector dims(shapes_[base]->dims().begin(), shapes_[base]->dims().end());
    DimVector part = random_slice(dims);
    add_input(Shape::of(dims), dtypes_[base]);
    std::size_t source = shapes_.size() - 1;
    if (chance(50)) source = push({Kind::kUnary, {source}, Op::neg, shapes_[source], dtypes_[source], {}}, 2);
    push({Kind::kSliceUpdate, {base, source}, Op::slice_update, shapes_[base], dtypes_[base], part},
         std::max(bounds_[base], 2.0));
  }
  void add_cat() {
    std::size_t a = pick_value();
    int rank = shapes_[a]->rank();
    if (rank == 0 || shapes_[a]->numel() > 1000) return add_unary();
    auto axis = pick(static_cast<std::size_t>(rank));
    DimVector dims(shapes_[a]->dims().begin(), shapes_[a]->dims().end());
    dims[axis] = static_cast<std::int64_t>(pick(3));
    add_input(Shape::of(dims), dtypes_[a]);
    std::vector<std::size_t> parts{a, shapes_.size() - 1};
    if (chance(40)) parts.push_back(a);
    dims[axis] += (*shapes_[a])[static_cast<int>(axis)] * static_cast<std::int64_t>(parts.size() - 1);
    push({Kind::kCat, parts, Op::cat, Shape::of(dims), dtypes_[a], {static_cast<std::int64_t>(axis)}},
         std::max(bounds_[a], 2.0));
  }
  void drop(std::vector<std::size_t> values) {
    for (std::size_t value : values) held_.erase(std::find(held_.begin(), held_.end(), value));
    instructions_.push_back({Kind::kDrop, std::move(values)});
  }
  void add_drop() {
    std::vector<std::size_t> dropped;
    for (std::size_t value : held_)
      if (held_.size() - dropped.size() > 2 && chance(40)) dropped.push_back(value);
    drop(std::move(dropped));
  }

  void add_one() {
    std::size_t choice = pick(100);
    if (long_rows_ && choice < 30) return add_sum_of_products();
    if (long_rows_ && choice > 80) return add_drop();
    if (long_rows_ && choice > 75) return instructions_.push_back({Kind::kFlush, {}});
    if (long_rows_) choice = pick(55);
    if (choice < 15) return add_unary();
    if (choice < 38) return add_binary();
    if (choice < 44) return add_scaled();
    if (choice < 48) return add_cast();
    if (choice < 55) return add_reduce();
    if (choice < 63) return add_matmul();
    if (choice < 82) return add_view();
    if (choice < 86) return add_slice_update();
    if (choice < 89) return add_cat();
    if (choice < 91) {
      Instruction one{
          Kind::kFull, {}, Op::expand, random_shape(), DType::kFloat64, {static_cast<std::int64_t>(pick(5)) - 2}};
      push(std::move(one), 2);
      return;
    }
    std::size_t x = pick_value();
    if (choice < 93) {
      push({Kind::kClone, {x}, Op::clone, shapes_[x], dtypes_[x], {}}, bounds_[x]);
    } else if (choice < 95 && shapes_[x]->rank() > 0) {
      x = small(summable(x));
      const auto axis = -1 - static_cast<std::int64_t>(pick(static_cast<std::size_t>(shapes_[x]->rank())));
      push({Kind::kCumsum, {x}, Op::cumsum, shapes_[x], dtypes_[x], {axis}}, bounds_[x] * 40);
    } else if (choice < 97) {
      instructions_.push_back({Kind::kFlush, {}});
    } else {
      add_drop();
    }
  }

  std::mt19937 random_;
  bool differentiable_, long_rows_;
  std::vector<Instruction> instructions_;
  std::vector<const Shape*> shapes_;
  std::vector<DType> dtypes_;
  std::vector<double> bounds_;
  std::vector<std::size_t> held_;
};

}  // namespace lamina::testing

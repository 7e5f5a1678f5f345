// Gradients of reductions, products, views and indexing.
#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>

#include "ops/gradient.h"

namespace lamina::gradient {

using namespace build;

namespace {

// A reduction's result, spread over the operand's shape again.
ValuePtr spread(const ValuePtr& reduced, const Shape* shape, const Attribute& axes) {
  return build::expand(build::reshape(reduced, reduced_shape(shape, axes.values(), true)), shape);
}

// Of the shape of an operand.
ValuePtr zeros(const Gradient& d, std::size_t operand) {
  return full(d.shape(operand), 0, d.g()->dtype, d.g()->device());
}

ValuePtr equal_to(const ValuePtr& x, double value) { return binary(Op::eq, x, number(value, x->dtype)); }

// Sums from each element to the end of its axis, which is counted from behind.
ValuePtr reversed_cumsum(const ValuePtr& x, int axis) {
  const int place = x->shape->rank() + axis;
  return flip(rowwise(Op::cumsum, flip(x, place), axis), place);
}

// Of a transform's attribute. The points that the operand lacked get no gradient.
const Attribute* opposite(const Gradient& d, bool between_halves) {
  const Attribute& of = d.attribute();
  const std::int64_t places = (*d.shape(0))[d.shape(0)->rank() + static_cast<int>(of[0])];
  return Attribute::of({of[0], of[1], places, of[3], 1 - of[4], between_halves ? 1 - of[5] : 0});
}

// x without its first elements along an axis, and as many fillings at its end instead.
ValuePtr moved_up(const ValuePtr& x, int axis, std::int64_t by, double filling) {
  const std::int64_t size = (*x->shape)[axis], moved = std::min(by, size);
  DimVector dims(x->shape->dims().begin(), x->shape->dims().end());
  dims[static_cast<std::size_t>(axis)] = moved;
  const ValuePtr parts[] = {narrow(x, axis, moved, size - moved),
                            full(Shape::of(dims), filling, x->dtype, x->device())};
  return build::cat(parts, axis);
}

// The products of all that come before an element, or behind it.
ValuePtr products_behind(const ValuePtr& x, int axis) {
  return flip(rowwise(Op::cumprod, flip(moved_up(x, axis, 1, 1), axis), axis - x->shape->rank()), axis);
}
ValuePtr products_before(const ValuePtr& x, int axis) { return flip(products_behind(flip(x, axis), axis), axis); }

ValuePtr product_of_others(const ValuePtr& x, Dims axes) {
  ValuePtr others = full(x->shape, 1, x->dtype, x->device()), rest = x;
  for (std::int64_t along : axes) {
    const auto axis = static_cast<int>(along);
    others = others * (products_before(rest, axis) * products_behind(rest, axis));
    rest = reduce(Op::prod, rest, DimVector{along}, true);
  }
  return others;
}

// g + x₁ (g₁ + x₂ (g₂ + …)), what follows an element being numbered from it: sums of twice as many terms at a time.
ValuePtr sums_of_products_behind(const ValuePtr& g, const ValuePtr& x, int axis) {
  ValuePtr sums = g, products = moved_up(x, axis, 1, 0);
  for (std::int64_t terms = 1; terms < (*x->shape)[axis]; terms *= 2) {
    sums = sums + products * moved_up(sums, axis, terms, 0);
    products = products * moved_up(products, axis, terms, 0);
  }
  return sums;
}

// The largest (or smallest) elements share the gradient equally; of NaN, all NaN.
void extremum(Gradient& d) {
  d.give(0, [&] {
    ValuePtr result = spread(d.r(), d.shape(0), d.attribute());
    ValuePtr both_nan = binary(Op::logical_and, unary(Op::isnan, d.x()), unary(Op::isnan, result));
    ValuePtr mask = build::cast(binary(Op::logical_or, binary(Op::eq, d.x(), result), both_nan), d.g()->dtype);
    ValuePtr count = build::sum(mask, d.attribute().values(), true);
    return spread(d.g(), d.shape(0), d.attribute()) * (mask / count);
  });
}

// An as_strided that is a slice of the operand in another shape, but for the order of axes, as a diagonal is: each
// stride but the smallest divides what lies below the next larger one, and nothing reaches beyond it.
struct Sliced {
  const Shape* whole;
  const Attribute* starts_and_steps;
  DimVector axes;  // of the view, by falling strides
};
std::optional<Sliced> as_slice(const Gradient& d) {
  const std::span<const std::int64_t> dims = d.g()->shape->dims(), strides = d.attribute().values().subspan(1);
  DimVector axes(dims.size()), whole, starts;
  if (dims.empty() || d.g()->shape->numel() == 0) return {};
  std::iota(axes.begin(), axes.end(), 0);
  const auto stride = [&](std::int64_t axis) { return strides[static_cast<std::size_t>(axis)]; };
  std::stable_sort(axes.begin(), axes.end(), [&](auto a, auto b) { return stride(a) > stride(b); });
  std::int64_t below = d.shape(0)->numel(), offset = d.attribute()[0];
  for (std::size_t i = 0; i + 1 < axes.size(); ++i) {
    const std::int64_t step = stride(axes[i]);
    if (step <= 0 || below % step != 0) return {};
    whole.push_back(below / step), starts.push_back(offset / step);
    if (starts.back() + dims[static_cast<std::size_t>(axes[i])] > whole.back()) return {};
    below = step, offset %= step;
  }
  const std::int64_t step = stride(axes.back()), length = dims[static_cast<std::size_t>(axes.back())];
  if (step <= 0 || offset + (length - 1) * step >= below) return {};
  whole.push_back(below), starts.push_back(offset);
  starts.resize(2 * axes.size(), 1);
  starts.back() = step;
  return Sliced{Shape::of(whole), Attribute::of(starts), std::move(axes)};
}

// Is x zero but for one element a row (of the last axis), as the gradient of a loss that picks one is? Then operand 1
// says which, and operand 2 what it is.
bool has_one_a_row(const Value* x) {
  int last = x->shape->rank() - 1;
  if (op_of(x) != Op::scatter_add || x->input_count != 3 || !x->inputs[0] || last < 0 || (*x->attribute)[0] != last)
    return false;
  const Value* base = x->inputs[0];
  if (op_of(base) != Op::expand || base->input_count != 1 || base->inputs[0]->op != kScalar) return false;
  const ScalarBits zero = number(0, x->dtype)->scalar;
  return base->inputs[0]->scalar.low == zero.low &&
         x->operands()[1]->shape == reduced_shape(x->shape, DimVector{last}, true);
}

}  // namespace

void sum(Gradient& d) {
  d.give(0, [&] { return spread(d.g(), d.shape(0), d.attribute()); });
}

// The product of all others: result / x where nothing is 0; where one element is 0, only that one has a gradient. What
// is differentiated again divides by nothing: zeros take no derivative away from it, of whatever order.
void prod(Gradient& d) {
  d.give(0, [&] {
    const ValuePtr g = spread(d.g(), d.shape(0), d.attribute());
    if (grad_enabled()) return g * product_of_others(d.x(), d.attribute().values());
    ValuePtr is_zero = equal_to(d.x(), 0);
    ValuePtr filled = build::where(is_zero, number(1, d.x()->dtype), d.x());
    ValuePtr rest = reduce(Op::prod, filled, d.attribute().values(), true);
    ValuePtr zeros = build::sum(build::cast(is_zero, d.x()->dtype), d.attribute().values(), true);
    ValuePtr none = number(0, d.x()->dtype);
    ValuePtr single = build::where(is_zero, build::where(equal_to(zeros, 1), rest, none), none);
    return g * build::where(equal_to(zeros, 0), rest / filled, single);
  });
}
void amax(Gradient& d) { extremum(d); }
void amin(Gradient& d) { extremum(d); }

// Of an op along an axis that is counted from behind.
DimVector axis_of(const Gradient& d) { return {d.shape(0)->rank() + d.attribute()[0]}; }

void softmax(Gradient& d) {
  d.give(0, [&] {
    ValuePtr weighted = d.g() * d.r();
    return weighted - d.r() * build::sum(weighted, axis_of(d), true);
  });
}
void log_softmax(Gradient& d) {
  d.give(0, [&] {
    int last = d.shape(0)->rank() - 1;
    // The row's sum is that element, and the others need not be subtracted from.
    if (d.attribute()[0] == -1 && has_one_a_row(d.g().get())) {
      ValuePtr index(d.g()->operands()[1]), picked(d.g()->operands()[2]);
      return build::scatter_add(build::exp(d.r()) * build::neg(picked), last, index, picked);
    }
    return d.g() - build::exp(d.r()) * build::sum(d.g(), axis_of(d), true);
  });
}
void standardize(Gradient& d) {
  d.give(0, [&] { return build::standardize_input(d.g(), d.x(), &d.attribute()); });
}
// It is s (g - mean(g) - y mean(g y)), y being x standardized and s the scale: linear in g, and its own adjoint. By x,
// with dy = the adjoint, ds = -s² y / n: both means and the scale have a part.
void standardize_input(Gradient& d) {
  d.give(0, [&] { return build::standardize_input(d.g(), d.y(), &d.attribute()); });
  d.give(1, [&] {
    const ValuePtr &h = d.g(), &g = d.x(), &x = d.y();
    const int last = d.shape(1)->rank() - 1;
    const auto n = static_cast<double>((*d.shape(1))[last]);
    const auto mean = [&](const ValuePtr& v) { return build::sum(v, DimVector{last}, true) / n; };
    const ValuePtr centered = x - mean(x);
    const ValuePtr scale = build::rsqrt(mean(build::square(centered)) + std::bit_cast<double>(d.attribute()[0]));
    const ValuePtr y = centered * scale, of_g = mean(g * y), of_h = mean(h * y);
    const ValuePtr by_scale = scale * scale * y * (mean((g - mean(g)) * h) - of_g * of_h);
    const ValuePtr by_means = scale * (of_h * build::standardize_input(g, x, &d.attribute()) +
                                       of_g * build::standardize_input(h, x, &d.attribute()));
    return build::neg(by_scale + by_means);
  });
}
void logsumexp(Gradient& d) {
  d.give(0, [&] {
    const Shape* kept = reduced_shape(d.shape(0), axis_of(d), true);
    return build::reshape(d.g(), kept) * build::exp(d.x() - build::reshape(d.r(), kept));
  });
}

// Each is linear; its adjoint goes the opposite way.
void fourier(Gradient& d) {
  d.give(0, [&] { return build::fourier(Op::fourier, d.g(), opposite(d, false)); });
}
void fourier_half(Gradient& d) {
  d.give(0, [&] { return build::fourier(Op::fourier_real, d.g(), opposite(d, true)); });
}
void fourier_real(Gradient& d) {
  d.give(0, [&] { return build::fourier(Op::fourier_half, d.g(), opposite(d, true)); });
}

void cumsum(Gradient& d) {
  d.give(0, [&] { return reversed_cumsum(d.g(), static_cast<int>(d.attribute()[0])); });
}
// Before the row's first zero: the sum of g·result to the end, over x. At it: the same with that zero taken as 1. After
// it every product contains the zero, so the gradient is 0, and yet it moves with the zero: what is differentiated
// again is the product of all before times the sum of what follows, which divides by nothing.
void cumprod(Gradient& d) {
  d.give(0, [&] {
    DType dtype = d.x()->dtype;
    const auto axis = static_cast<int>(d.attribute()[0]);
    const int place = d.shape(0)->rank() + axis;
    if (grad_enabled()) return products_before(d.x(), place) * sums_of_products_behind(d.g(), d.x(), place);
    ValuePtr is_zero = equal_to(d.x(), 0), one = number(1, dtype), none = number(0, dtype);
    ValuePtr seen = rowwise(Op::cumsum, build::cast(is_zero, dtype), axis);
    ValuePtr first = binary(Op::logical_and, is_zero, equal_to(seen, 1));
    ValuePtr without_first = rowwise(Op::cumprod, build::where(first, one, d.x()), axis);
    ValuePtr before = reversed_cumsum(d.g() * d.r(), axis) / build::where(is_zero, one, d.x());
    ValuePtr at = build::where(first, reversed_cumsum(d.g() * without_first, axis), none);
    return build::where(equal_to(seen, 0), before, at);
  });
}

// C = op(A) op(B): the four transpose forms, without a transpose.
void matmul(Gradient& d) {
  bool ta = d.attribute()[0] != 0, tb = d.attribute()[1] != 0;
  d.give(0, [&] { return ta ? build::matmul(d.y(), d.g(), tb, true) : build::matmul(d.g(), d.y(), false, !tb); });
  d.give(1, [&] { return tb ? build::matmul(d.g(), d.x(), true, ta) : build::matmul(d.x(), d.g(), !ta, false); });
}

// X = op(A)⁻¹ B: G_B = op(A)⁻ᵀ G, and of op(A) -G_B Xᵀ.
void solve_triangle(Gradient& d) {
  const bool upper = d.attribute()[0] != 0, transpose = d.attribute()[1] != 0, unit = d.attribute()[2] != 0;
  const ValuePtr right = build::solve_triangle(d.x(), d.g(), upper, !transpose, unit);
  d.give(0, [&] {
    return build::neg(transpose ? build::matmul(d.r(), right, false, true) : build::matmul(right, d.r(), false, true));
  });
  d.give(1, [&] { return right; });
}

void reshape(Gradient& d) {
  d.give(0, [&] { return build::reshape(d.g(), d.shape(0)); });
}
void permute(Gradient& d) {
  d.give(0, [&] {
    DimVector inverse(d.attribute().size());
    for (std::size_t i = 0; i < inverse.size(); ++i)
      inverse[static_cast<std::size_t>(d.attribute()[i])] = static_cast<std::int64_t>(i);
    return build::permute(d.g(), inverse);
  });
}
void expand(Gradient& d) {
  d.give(0, [&] { return d.g(); });  // give() sums
}
void slice(Gradient& d) {
  if (d.give_part([&] { return GradientPart{d.g(), &d.attribute(), nullptr}; })) return;
  d.give(0, [&] { return build::slice_update(zeros(d, 0), d.g(), &d.attribute()); });
}
// Each element's gradients add up at its place in the operand, where it is seen more than once.
void as_strided(Gradient& d) {
  d.give(0, [&] {
    if (const auto found = as_slice(d)) {
      ValuePtr source = build::permute(d.g(), found->axes);
      ValuePtr base = full(found->whole, 0, d.g()->dtype, d.g()->device());
      return build::reshape(build::slice_update(base, source, found->starts_and_steps), d.shape(0));
    }
    const Shape *shape = d.shape(0), *line = Shape::of({shape->numel()});
    const Shape* shown = Shape::of({d.g()->shape->numel()});
    ValuePtr number = rowwise(Op::cumsum, full(line, 1, DType::kInt64, d.g()->device())) - 1;
    ValuePtr places = build::as_strided(build::reshape(number, shape), d.g()->shape, &d.attribute());
    ValuePtr summed = build::scatter_add(full(line, 0, d.g()->dtype, d.g()->device()), 0, build::reshape(places, shown),
                                         build::reshape(d.g(), shown));
    return build::reshape(summed, shape);
  });
}
void view_as_real(Gradient& d) {
  d.give(0, [&] { return build::view_as_complex(d.g()); });
}
void view_as_complex(Gradient& d) {
  d.give(0, [&] { return build::view_as_real(d.g()); });
}
void clone(Gradient& d) {
  d.give(0, [&] { return d.g(); });
}
void rebase(Gradient& d) {
  d.give(1, [&] { return d.g(); });
}

void slice_update(Gradient& d) {
  d.give(0, [&] {
    return d.shape(1) == d.shape(0) ? zeros(d, 0) : build::slice_update(d.g(), zeros(d, 1), &d.attribute());
  });
  d.give(1, [&] { return build::slice(d.g(), d.shape(1), &d.attribute()); });
}
void cat(Gradient& d) {
  auto axis = static_cast<int>(d.attribute()[0]);
  std::int64_t start = 0;
  for (std::size_t i = 0; i < d.node()->input_count; ++i) {
    std::int64_t length = (*d.shape(i))[axis];
    d.give(i, [&] { return narrow(d.g(), axis, start, length); });
    start += length;
  }
}

void gather(Gradient& d) {
  auto axis = static_cast<int>(d.attribute()[0]);
  d.give(0, [&] { return build::scatter_add(zeros(d, 0), axis, d.y(), d.g()); });
}
void scatter(Gradient& d) {
  auto axis = static_cast<int>(d.attribute()[0]);
  d.give(0, [&] { return build::scatter(d.g(), axis, d.y(), zeros(d, 2)); });
  d.give(2, [&] { return build::gather(d.g(), axis, d.y()); });
}
void scatter_add(Gradient& d) {
  auto axis = static_cast<int>(d.attribute()[0]);
  d.give(0, [&] { return d.g(); });
  d.give(2, [&] { return build::gather(d.g(), axis, d.y()); });
}
void take_rows(Gradient& d) {
  if (d.give_part([&] { return GradientPart{d.g(), nullptr, d.y()}; })) return;
  d.give(0, [&] { return build::put_rows(zeros(d, 0), d.y(), d.g(), true); });
}
void put_rows(Gradient& d) {
  bool accumulate = d.attribute()[0] != 0;
  d.give(0, [&] { return accumulate ? d.g() : build::put_rows(d.g(), d.y(), zeros(d, 2), false); });
  d.give(2, [&] { return build::take_rows(d.g(), d.y()); });
}

void extend(Gradient& d) {
  d.give(0, [&] { return build::extend_input(d.g(), d.shape(0), &d.attribute()); });
}
void extend_input(Gradient& d) {
  d.give(0, [&] { return build::extend(d.g(), &d.attribute()); });
}

// Each is linear in two of x, weights and y, and the third's adjoint.
void weighted_take(Gradient& d) {
  d.give(0, [&] { return build::weighted_put(d.g(), d.y(), d.z(), (*d.shape(0))[2]); });
  d.give(2, [&] { return build::weighted_dots(d.x(), d.y(), d.g()); });
}
void weighted_put(Gradient& d) {
  d.give(0, [&] { return build::weighted_take(d.g(), d.y(), d.z()); });
  d.give(2, [&] { return build::weighted_dots(d.g(), d.y(), d.x()); });
}
void weighted_dots(Gradient& d) {
  d.give(0, [&] { return build::weighted_put(d.z(), d.y(), d.g(), (*d.shape(0))[2]); });
  d.give(2, [&] { return build::weighted_take(d.x(), d.y(), d.g()); });
}

}  // namespace lamina::gradient

// The functions. Source of the inverse ones, with their branch cuts and the signs of zeros: W. Kahan, "Branch cuts for
// complex elementary functions" (1987).
#include "ops/complex_functions.h"

#include <limits>
#include <numbers>
#include <stdexcept>

#include "ops/complex.h"
#include "support/check.h"

namespace lamina {

namespace {

using namespace build;

ValuePtr like(double value, const ValuePtr& x) { return number(value, x->dtype); }
ValuePtr is_zero(const ValuePtr& x) { return binary(Op::eq, x, like(0, x)); }

ValuePtr product(const Parts& a, const Parts& b) {
  return complex(a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real);
}
ValuePtr product(const ValuePtr& a, const ValuePtr& b) { return product(parts(a), parts(b)); }
// i x, -i x
ValuePtr turned(const ValuePtr& x) {
  Parts of = parts(x);
  return complex(-of.imaginary, of.real);
}
ValuePtr turned_back(const ValuePtr& x) {
  Parts of = parts(x);
  return complex(of.imaginary, -of.real);
}
ValuePtr plus(const ValuePtr& x, double real) {
  Parts of = parts(x);
  return complex(of.real + real, of.imaginary);
}
ValuePtr scaled(const ValuePtr& x, double factor) {
  Parts of = parts(x);
  return complex(of.real * factor, of.imaginary * factor);
}

// The larger magnitude of the two parts, a constant to scale by; 1 where that is 0 or infinite.
ValuePtr magnitude_scale(const Parts& x) {
  ValuePtr largest = detach(maximum(abs(detach(x.real)), abs(detach(x.imaginary))));
  ValuePtr useless = binary(Op::logical_or, is_zero(largest), unary(Op::isinf, largest));
  return where(useless, like(1, largest), largest);
}

ValuePtr quotient(const ValuePtr& x, const ValuePtr& y) {
  Parts a = parts(x), b = parts(y);
  ValuePtr scale = magnitude_scale(b);
  ValuePtr c = b.real / scale, d = b.imaginary / scale, size = square(c) + square(d);
  return complex((a.real * c + a.imaginary * d) / size / scale, (a.imaginary * c - a.real * d) / size / scale);
}

// At 0 its gradient is 0.
ValuePtr magnitude(const Parts& x) {
  ValuePtr scale = magnitude_scale(x);
  ValuePtr total = square(x.real / scale) + square(x.imaginary / scale);
  ValuePtr nothing = is_zero(total);
  ValuePtr root = scale * sqrt(where(nothing, like(1, total), total));
  return where(nothing, like(0, total), root);
}
ValuePtr magnitude(const ValuePtr& x) { return magnitude(parts(x)); }
ValuePtr angle(const ValuePtr& x) {
  Parts of = parts(x);
  return atan2(of.imaginary, of.real);
}
ValuePtr polar(const ValuePtr& size, const ValuePtr& angle) { return complex(size * cos(angle), size * sin(angle)); }

ValuePtr exponential(const ValuePtr& x) {
  Parts of = parts(x);
  // Of a real argument the imaginary part is 0, even where the exponential is infinite.
  ValuePtr size = exp(of.real), real = is_zero(of.imaginary);
  return complex(size * cos(of.imaginary), where(real, of.imaginary, size * sin(of.imaginary)));
}
ValuePtr logarithm(const ValuePtr& x) { return complex(log(magnitude(x)), angle(x)); }
ValuePtr logarithm_of_one_plus(const ValuePtr& x) {
  Parts of = parts(x);
  // log |1 + x| = log1p(|1 + x|^2 - 1) / 2, without cancellation for small x.
  ValuePtr near = log1p(of.real * (of.real + 2.0) + square(of.imaginary)) * 0.5;
  ValuePtr far = log(magnitude(plus(x, 1)));
  ValuePtr small = binary(Op::lt, abs(of.real) + abs(of.imaginary), like(0.5, near));
  return complex(where(small, near, far), atan2(of.imaginary, of.real + 1.0));
}
ValuePtr exponential_minus_one(const ValuePtr& x) {
  Parts of = parts(x);
  ValuePtr half = sin(of.imaginary * 0.5);
  return complex(expm1(of.real) * cos(of.imaginary) - square(half) * 2.0, exp(of.real) * sin(of.imaginary));
}

// The numbers come from the stable formula, the history from the smooth one: on the branch cut the first has kinks.
ValuePtr root(const ValuePtr& x) {
  Parts of = parts(x);
  ValuePtr numbers;
  {
    GradMode off(false);
    ValuePtr a = detach(of.real), b = detach(of.imaginary);
    ValuePtr large = sqrt((abs(a) + magnitude({a, b})) * 0.5);
    ValuePtr small = where(is_zero(large), b, b / (large * 2.0));
    ValuePtr right = unary(Op::logical_not, unary(Op::signbit, a));
    numbers = complex(where(right, large, abs(small)), where(right, small, copysign(large, b)));
  }
  if (!grad_enabled() || !x->requires_grad()) return numbers;
  return rebase(numbers, polar(sqrt(magnitude(x)), angle(x) * 0.5));
}

ValuePtr power(const ValuePtr& x, const ValuePtr& y) {
  ValuePtr zero = unary(Op::logical_not, x), none = unary(Op::logical_not, y);
  ValuePtr safe = where(zero, like(1, x), x);
  // 0 to the power of y as if it were the limit of e^(y log 0): of no direction where that is infinite.
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();
  ValuePtr exponent = parts(y).real;
  ValuePtr shrinks = binary(Op::gt, exponent, like(0, exponent)), grows = binary(Op::lt, exponent, like(0, exponent));
  ValuePtr phase = where(shrinks, like(0, exponent), like(kNan, exponent));
  ValuePtr at_zero = where(none, like(1, x), complex(where(grows, like(kInf, exponent), phase), phase));
  return where(zero, at_zero, exponential(product(y, logarithm(safe))));
}

ValuePtr hyperbolic_sine(const ValuePtr& x) {
  Parts of = parts(x);
  return complex(sinh(of.real) * cos(of.imaginary), cosh(of.real) * sin(of.imaginary));
}
ValuePtr hyperbolic_cosine(const ValuePtr& x) {
  Parts of = parts(x);
  return complex(cosh(of.real) * cos(of.imaginary), sinh(of.real) * sin(of.imaginary));
}
// (tanh a + i tan b) / (1 + i tanh a tan b)
ValuePtr hyperbolic_tangent(const ValuePtr& x) {
  Parts of = parts(x);
  ValuePtr a = tanh(of.real), b = tan(of.imaginary);
  return quotient(complex(a, b), complex(like(1, a), a * b));
}

// Real part of conj(x) y, and imaginary part.
ValuePtr inner(const Parts& x, const Parts& y) { return x.real * y.real + x.imaginary * y.imaginary; }
ValuePtr outer(const Parts& x, const Parts& y) { return x.real * y.imaginary - x.imaginary * y.real; }

ValuePtr inverse_sine(const ValuePtr& x) {
  Parts minus = parts(root(plus(neg(x), 1))), more = parts(root(plus(x, 1)));
  ValuePtr real = minus.real * more.real - minus.imaginary * more.imaginary;
  return complex(atan2(parts(x).real, real), asinh(outer(minus, more)));
}
ValuePtr inverse_cosine(const ValuePtr& x) {
  Parts minus = parts(root(plus(neg(x), 1))), more = parts(root(plus(x, 1)));
  return complex(atan2(minus.real, more.real) * 2.0, asinh(outer(more, minus)));
}
ValuePtr inverse_hyperbolic_cosine(const ValuePtr& x) {
  Parts minus = parts(root(plus(x, -1))), more = parts(root(plus(x, 1)));
  return complex(asinh(inner(minus, more)), atan2(minus.imaginary, more.real) * 2.0);
}
ValuePtr inverse_hyperbolic_tangent(const ValuePtr& x) {
  Parts of = parts(x);
  ValuePtr less = 1.0 - of.real, height = square(of.imaginary);
  return complex(log1p(of.real * 4.0 / (square(less) + height)) * 0.25,
                 atan2(of.imaginary * 2.0, less * (of.real + 1.0) - height) * 0.5);
}

}  // namespace

bool is_complex_function(Op op) {
  switch (op) {
    case Op::mul:
    case Op::div:
    case Op::pow:
    case Op::abs:
    case Op::sign:
    case Op::square:
    case Op::reciprocal:
    case Op::exp:
    case Op::exp2:
    case Op::expm1:
    case Op::log:
    case Op::log2:
    case Op::log10:
    case Op::log1p:
    case Op::sqrt:
    case Op::rsqrt:
    case Op::sin:
    case Op::cos:
    case Op::tan:
    case Op::sinh:
    case Op::cosh:
    case Op::tanh:
    case Op::asin:
    case Op::acos:
    case Op::atan:
    case Op::asinh:
    case Op::acosh:
    case Op::atanh:
    case Op::sigmoid:
      return true;
    default:
      return false;
  }
}

ValuePtr complex_function(Op op, const ValuePtr& x, const ValuePtr& y) {
  switch (op) {
    case Op::mul:
      return product(x, y);
    case Op::div:
      return quotient(x, y);
    case Op::pow:
      return power(x, y);
    case Op::abs:
      return magnitude(x);
    case Op::sign: {
      ValuePtr size = magnitude(x), nothing = is_zero(size);
      ValuePtr safe = where(nothing, like(1, size), size);
      Parts of = parts(x);
      return complex(of.real / safe, of.imaginary / safe);
    }
    case Op::square:
      return product(x, x);
    case Op::reciprocal:
      return quotient(like(1, x), x);
    case Op::exp:
      return exponential(x);
    case Op::exp2:
      return exponential(scaled(x, std::numbers::ln2));
    case Op::expm1:
      return exponential_minus_one(x);
    case Op::log:
      return logarithm(x);
    case Op::log2:
      return scaled(logarithm(x), std::numbers::log2e);
    case Op::log10:
      return scaled(logarithm(x), std::numbers::log10e);
    case Op::log1p:
      return logarithm_of_one_plus(x);
    case Op::sqrt:
      return root(x);
    case Op::rsqrt:
      return quotient(like(1, x), root(x));
    case Op::sin:
      return turned_back(hyperbolic_sine(turned(x)));
    case Op::cos:
      return hyperbolic_cosine(turned(x));
    case Op::tan:
      return turned_back(hyperbolic_tangent(turned(x)));
    case Op::sinh:
      return hyperbolic_sine(x);
    case Op::cosh:
      return hyperbolic_cosine(x);
    case Op::tanh:
      return hyperbolic_tangent(x);
    case Op::asin:
      return inverse_sine(x);
    case Op::acos:
      return inverse_cosine(x);
    case Op::atan:
      return turned_back(inverse_hyperbolic_tangent(turned(x)));
    case Op::asinh:
      return turned_back(inverse_sine(turned(x)));
    case Op::acosh:
      return inverse_hyperbolic_cosine(x);
    case Op::atanh:
      return inverse_hyperbolic_tangent(x);
    case Op::sigmoid:
      return quotient(like(1, x), plus(exponential(neg(x)), 1));
    default:
      throw std::logic_error(text(row(op).name, " of complex numbers"));
  }
}

}  // namespace lamina

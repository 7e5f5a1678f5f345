// Public elementwise functions.
#include "functions/pointwise.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "engine/flush.h"
#include "engine/index.h"
#include "ops/build.h"
#include "ops/complex.h"
#include "ops/record.h"
#include "support/check.h"

namespace lamina::functions {

namespace {

bool promotes_to_float(Op op) { return !supports(op, DType::kInt64) && supports(op, DType::kFloat32); }

bool is_rounding(Op op) { return op == Op::floor || op == Op::ceil || op == Op::round || op == Op::trunc; }

// Integer division has no NaN to give: a zero divisor is an error at the line that divides.
void check_divisor(Op op, const Operand& divisor) {
  const char* message = "ZeroDivisionError";
  if (divisor.is_number())
    check(divisor.as_double() != 0, message, ": ", row(op).name, " by zero of an integer tensor");
  else
    check(!engine::has_zero(divisor.value), message, ": ", row(op).name, " by zero of an integer tensor");
}

}  // namespace

ValuePtr labelled(ValuePtr value, const char* label) {
  if (value->requires_grad() && !value->leaf) set_label(value.get(), label);
  return value;
}

ValuePtr to_dtype(const ValuePtr& x, DType dtype) { return build::cast(x, dtype); }

ValuePtr unary(Op op, const ValuePtr& x) {
  if (!is_differentiable(x->dtype)) {
    if (is_rounding(op)) {
      if (x->dtype == DType::kBool)
        fail(ErrorKind::kNotImplemented, "\"", row(op).name, "\" not implemented for 'Bool'");
      return build::clone(x);
    }
    if (op == Op::isnan || op == Op::isinf || op == Op::signbit) {
      if (op == Op::signbit && x->dtype != DType::kBool) return binary(Op::lt, x, Operand::of(std::int64_t{0}));
      return build::full(x->shape, 0, DType::kBool, x->device());
    }
    if (op == Op::sign && x->dtype == DType::kBool) return build::clone(x);
    if (op == Op::square && x->dtype == DType::kBool) return unary(op, build::cast(x, DType::kInt64));
    if (promotes_to_float(op)) return unary(op, build::cast(x, default_float()));
  }
  if (op == Op::neg)
    check(x->dtype != DType::kBool,
          "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
          "`~` or `logical_not()` operator instead.");
  if (op == Op::relu) check(x->dtype != DType::kBool, "Boolean inputs not supported for relu");
  if (op == Op::sign && is_complex(x->dtype))
    fail(ErrorKind::kRuntime,
         "Unlike NumPy, torch.sign doesn't allow complex inputs. Use torch.sgn for x / |x| instead.");
  check_supports(op, x->dtype);
  return build::unary(op, x);
}

ValuePtr sgn(const ValuePtr& x) { return labelled(is_complex(x->dtype) ? build::sign(x) : unary(Op::sign, x), "Sgn"); }

ValuePtr round(const ValuePtr& x, std::int64_t decimals) {
  if (decimals == 0) return unary(Op::round, x);
  check(is_floating(x->dtype), "round_cpu: decimals are not implemented for '", name_of(x->dtype), "'");
  ValuePtr wide = build::cast(x, lamina::wide(x->dtype));  // halves are rounded once, in the end
  ValuePtr scale = build::number(std::pow(10.0, static_cast<double>(std::llabs(decimals))), wide->dtype);
  ValuePtr rounded = decimals > 0 ? build::div(build::round(build::mul(wide, scale)), scale)
                                  : build::mul(build::round(build::div(wide, scale)), scale);
  return labelled(build::cast(rounded, x->dtype), "Round");
}

ValuePtr isfinite(const ValuePtr& x) {
  if (is_complex(x->dtype)) {
    build::Parts of = build::parts(x);
    return build::binary(Op::logical_and, isfinite(of.real), isfinite(of.imaginary));
  }
  if (!is_floating(x->dtype)) return build::full(x->shape, 1, DType::kBool, x->device());
  // x - x is 0 for finite numbers and NaN for all others.
  return build::binary(Op::eq, build::sub(build::detach(x), build::detach(x)), build::number(0, x->dtype));
}

ValuePtr binary(Op op, const Operand& a, const Operand& b) {
  // Most are of one floating type, or have a number beside them, which takes it over.
  const Operand &tensor = a.is_number() ? b : a, &other = a.is_number() ? a : b;
  if (!tensor.is_number() && is_floating(tensor.value->dtype)) {
    DType dtype = tensor.value->dtype;
    bool agrees = other.is_number() ? other.kind != Operand::Kind::kBool : other.value->dtype == dtype;
    if (agrees && other.kind != Operand::Kind::kComplex && supports(op, dtype))
      return build::binary(op, a.as(dtype), b.as(dtype));
  }
  DType dtype = result_type({a, b});
  if (promotes_to_float(op) && !is_differentiable(dtype)) dtype = default_float();
  if (op == Op::sub) {
    auto is_mask = [](const Operand& x) {
      return x.is_number() ? x.kind == Operand::Kind::kBool : x.value->dtype == DType::kBool;
    };
    check(!is_mask(a) || !is_mask(b),
          "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
          "operator instead.");
    check(!is_mask(a) && !is_mask(b),
          "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use "
          "the "
          "`~` or `logical_not()` operator instead.");
  }
  check_supports(op, dtype);
  bool divides = op == Op::floor_divide || op == Op::remainder || op == Op::fmod;
  bool nothing = !a.is_number() && a.value->shape->numel() == 0;
  if (divides && !is_differentiable(dtype) && !nothing) check_divisor(op, b);
  return build::binary(op, a.as(dtype), b.as(dtype));
}

namespace {

// alpha * b in the type of the result.
ValuePtr scaled(const Operand& a, const Operand& b, const Operand& alpha) {
  DType dtype = result_type({a, b});
  if (!alpha.is_number() && alpha.value->requires_grad())
    fail(ErrorKind::kType, "argument 'alpha' must be Number, not Tensor");
  check(alpha.kind != Operand::Kind::kBool || dtype == DType::kBool,
        "Boolean alpha only supported for Boolean results.");
  check(is_complex(dtype) || alpha.kind != Operand::Kind::kComplex,
        "For non-complex input tensors, argument alpha must not be a complex number.");
  check(is_differentiable(dtype) || alpha.kind != Operand::Kind::kFloat,
        "For integral input tensors, argument alpha must not be a floating point number.");
  return build::mul(b.as(dtype), alpha.as(dtype));
}

}  // namespace

ValuePtr add(const Operand& a, const Operand& b, const Operand& alpha) {
  return binary(Op::add, a, scaled(a, b, alpha));
}
ValuePtr sub(const Operand& a, const Operand& b, const Operand& alpha) {
  return binary(Op::sub, a, scaled(a, b, alpha));
}

ValuePtr div(const Operand& a, const Operand& b, const char* mode) {
  if (!mode) return binary(Op::div, a, b);
  bool trunc = std::strcmp(mode, "trunc") == 0;
  check(trunc || std::strcmp(mode, "floor") == 0,
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '", mode, "'");
  DType dtype = result_type({a, b});
  if (is_floating(dtype)) {
    // floor_divide has PyTorch's exact rounding. The gradient is zero, as that of the rounded sum, even where b is 0.
    ValuePtr quotient = trunc ? build::trunc(binary(Op::div, a, b)) : binary(Op::floor_divide, a, b);
    auto differentiated = [](const Operand& x) { return !x.is_number() && x.value->requires_grad(); };
    if (!grad_enabled() || !(differentiated(a) || differentiated(b))) return quotient;
    return labelled(build::rebase(build::detach(quotient), build::floor(binary(Op::add, a, b))), "Div");
  }
  if (!trunc) return binary(Op::floor_divide, a, b);
  // Towards zero: the rest that fmod leaves is taken off first, so that the floor is exact.
  ValuePtr numerator = a.as(dtype);
  return binary(Op::floor_divide, build::sub(numerator, binary(Op::fmod, numerator, b)), b);
}

ValuePtr pow(const Operand& base, const Operand& exponent) {
  if (exponent.is_number() && !base.is_number()) {
    const ValuePtr& x = base.value;
    if (exponent.kind == Operand::Kind::kComplex) return labelled(binary(Op::pow, base, exponent), "Pow");
    double power = exponent.as_double();
    bool stays = is_differentiable(x->dtype) || (exponent.kind == Operand::Kind::kInt && x->dtype != DType::kBool);
    if (!is_differentiable(x->dtype) && exponent.kind != Operand::Kind::kFloat)
      check(power >= 0, "Integers to negative integer powers are not allowed.");
    if (stays && power == 2) return labelled(build::square(x), "Pow");
    // A root of -inf is NaN, as PyTorch computes it; the power function itself says inf.
    if (is_differentiable(x->dtype) && power == 0.5) return labelled(build::sqrt(x), "Pow");
    if (is_differentiable(x->dtype) && power == -0.5) return labelled(build::rsqrt(x), "Pow");
    if (stays && power == 1) return labelled(build::clone(x), "Pow");
    return labelled(binary(Op::pow, base, exponent), "Pow");
  }
  return labelled(binary(Op::pow, base, exponent), "Pow@1");
}

ValuePtr where(const ValuePtr& condition, const Operand& a, const Operand& b) {
  check(condition->dtype == DType::kBool || condition->dtype == DType::kUInt8,
        "where expected condition to be a boolean tensor, but got a tensor with dtype ", scalar_name(condition->dtype));
  DType dtype = result_type({a, b});
  return build::where(build::cast(condition, DType::kBool), a.stored_as(dtype), b.stored_as(dtype));
}

ValuePtr clamp(const ValuePtr& x, const std::optional<Operand>& low, const std::optional<Operand>& high) {
  check(low || high, "torch.clamp: At least one of 'min' or 'max' must not be None");
  check(!is_complex(x->dtype), "clamp is not supported for complex types");
  DType dtype = low && high ? result_type({x, *low, *high}) : low ? result_type({x, *low}) : result_type({x, *high});
  ValuePtr result = build::cast(x, dtype);
  // The gradient passes at the bounds too, so maximum's sharing of ties is not used: the comparison decides.
  auto bounded = [&](const ValuePtr& value, const Operand& bound, Op outside) {
    ValuePtr limit = bound.stored_as(dtype);
    if (grad_enabled() && (value->requires_grad() || limit->requires_grad())) {  // it does not pass NaN, of either
      const bool below = outside == Op::lt;
      const ValuePtr within = build::binary(below ? Op::ge : Op::le, value, limit);
      ValuePtr other = build::binary(below ? Op::maximum : Op::minimum, build::detach(value), build::detach(limit));
      if (limit->requires_grad()) other = build::where(build::binary(outside, value, limit), limit, other);
      return build::where(within, value, other);
    }
    bool may_be_nan = is_floating(dtype) && (!bound.is_number() || std::isnan(bound.as_double()));
    ValuePtr is_nan = may_be_nan ? build::binary(Op::ne, limit, limit) : nullptr;
    ValuePtr beyond = build::binary(outside, value, limit);
    if (is_nan) beyond = build::binary(Op::logical_or, beyond, is_nan);
    return build::where(beyond, limit, value);
  };
  auto differentiated = [](const std::optional<Operand>& bound) {
    return bound && !bound->is_number() && bound->value->requires_grad();
  };
  if (grad_enabled() && result->requires_grad() && !differentiated(low) && !differentiated(high)) {
    // The gradient passes what stays as it is, and so no NaN.
    ValuePtr held = build::detach(result);
    if (low) held = build::binary(Op::maximum, held, low->stored_as(dtype));
    if (high) held = build::binary(Op::minimum, held, high->stored_as(dtype));
    result = build::where(build::binary(Op::eq, result, held), result, held);
  } else {
    if (low) result = bounded(result, *low, Op::lt);
    if (high) result = bounded(result, *high, Op::gt);
  }
  if (low && high) return labelled(result, low->is_number() ? "Clamp@1" : "Clamp");
  return labelled(result, low ? "ClampMin" : "ClampMax");
}

}  // namespace lamina::functions

// Rows of the registry: elementwise functions, each with its in-place form.
#include "bindings/in_place.h"
#include "bindings/results.h"
#include "bindings/warning.h"
#include "functions/pointwise.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

PyObject* in_place(const Arguments& a, ValuePtr result) {
  assign_result(a.tensor_object(0), std::move(result));
  return self_of(a);
}

// Raises before anything is recorded if the tensor may not be changed.
const Arguments& writable(const Arguments& a) {
  engine::check_assignable(a.variable(0));
  return a;
}

// All unary rows have one argument, but round.
constexpr const char* unary_signature(Op op) { return op == Op::round ? "input, *, decimals=0" : "input"; }
ValuePtr unary_of(Op op, const Arguments& a) {
  return op == Op::round ? functions::round(a.tensor(0), a.integer(1, 0)) : functions::unary(op, a.tensor(0));
}

// An absolute value is real: PyTorch does not write it to complex numbers.
ValuePtr unary_in_place(Op op, const Arguments& a) {
  writable(a);
  check(op != Op::abs || !is_complex(a.tensor(0)->dtype), "abs_(): complex numbers have no absolute value in place");
  return unary_of(op, a);
}

}  // namespace

// NAME and NAME_: the second assigns to its first argument.
#define LAMINA_WITH_IN_PLACE(name, signature, expression)              \
  LAMINA_FUNCTION(kBoth, name, signature) { return wrap(expression); } \
  LAMINA_FUNCTION(kBoth, name##_, signature) {                         \
    writable(a);                                                       \
    return in_place(a, expression);                                    \
  }

// The same for what has no history: the tensor keeps its own, and a leaf may be changed.
#define LAMINA_LOGICAL(name, signature, expression)                    \
  LAMINA_FUNCTION(kBoth, name, signature) { return wrap(expression); } \
  LAMINA_FUNCTION(kBoth, name##_, signature) {                         \
    GradMode mode(false);                                              \
    return in_place(a, expression);                                    \
  }

#define LAMINA_ROW_UNARY(name)                                                                    \
  LAMINA_FUNCTION(kBoth, name, unary_signature(Op::name)) { return wrap(unary_of(Op::name, a)); } \
  LAMINA_FUNCTION(kBoth, name##_, unary_signature(Op::name)) { return in_place(a, unary_in_place(Op::name, a)); }
#define LAMINA_UNARY(name, ...) LAMINA_ROW_UNARY(name)
#define LAMINA_FLAT(name, ...) LAMINA_ROW_UNARY(name)
#define LAMINA_SPECIAL(name, ...) \
  LAMINA_FUNCTION(kModule, _##name, unary_signature(Op::name)) { return wrap(unary_of(Op::name, a)); }
#include "ops/op_list.inc"

LAMINA_LOGICAL(logical_not, "input", functions::unary(Op::logical_not, a.tensor(0)))
LAMINA_FUNCTION(kBoth, isnan, "input") { return wrap(functions::unary(Op::isnan, a.tensor(0))); }
LAMINA_FUNCTION(kBoth, isinf, "input") { return wrap(functions::unary(Op::isinf, a.tensor(0))); }
LAMINA_FUNCTION(kBoth, signbit, "input") { return wrap(functions::unary(Op::signbit, a.tensor(0))); }
LAMINA_FUNCTION(kBoth, isfinite, "input") { return wrap(functions::isfinite(a.tensor(0))); }
LAMINA_WITH_IN_PLACE(bitwise_not, "input", functions::unary(Op::bitwise_not, a.tensor(0)))

#define LAMINA_ROW_BINARY(name) \
  LAMINA_WITH_IN_PLACE(name, "input, other", functions::binary(Op::name, a.operand(0), a.operand(1)))
LAMINA_ROW_BINARY(mul)
LAMINA_ROW_BINARY(remainder)
LAMINA_ROW_BINARY(fmod)
LAMINA_ROW_BINARY(floor_divide)
LAMINA_ROW_BINARY(maximum)
LAMINA_ROW_BINARY(minimum)
LAMINA_ROW_BINARY(atan2)
LAMINA_ROW_BINARY(copysign)
LAMINA_FUNCTION(kModule, _hypot, "input, other") {
  return wrap(functions::binary(Op::hypot, a.operand(0), a.operand(1)));
}
LAMINA_FUNCTION(kModule, _igamma, "input, other") {
  return wrap(functions::binary(Op::igamma, a.operand(0), a.operand(1)));
}
LAMINA_FUNCTION(kModule, _igammac, "input, other") {
  return wrap(functions::binary(Op::igammac, a.operand(0), a.operand(1)));
}
LAMINA_ROW_BINARY(bitwise_and)
LAMINA_ROW_BINARY(bitwise_or)
LAMINA_ROW_BINARY(bitwise_xor)
LAMINA_ROW_BINARY(eq)
LAMINA_ROW_BINARY(ne)
LAMINA_ROW_BINARY(lt)
LAMINA_ROW_BINARY(le)
LAMINA_ROW_BINARY(gt)
LAMINA_ROW_BINARY(ge)

#define LAMINA_LOGICAL_BINARY(name) \
  LAMINA_LOGICAL(name, "input, other", functions::binary(Op::name, a.operand(0), a.operand(1)))
LAMINA_LOGICAL_BINARY(logical_and)
LAMINA_LOGICAL_BINARY(logical_or)
LAMINA_LOGICAL_BINARY(logical_xor)

namespace {

// add and sub take `alpha` before `other`, too: PyTorch's deprecated order, in which older optimizers are written.
#define LAMINA_SUM_SIGNATURE "input, other, other_after_alpha=None, *, alpha=1"
ValuePtr sum_of(const Arguments& a, Op op) {
  const auto scaled = op == Op::add ? functions::add : functions::sub;
  if (a.given(2)) {
    std::string name = a.signature().name();
    std::string said = "This overload of " + name + " is deprecated: instead of " + name + "(alpha, other), give " +
                       name + "(other, alpha=alpha)";
    checked(PyErr_WarnEx(PyExc_UserWarning, said.c_str(), 1));
    return scaled(a.operand(0), a.operand(2), a.operand(1));
  }
  return a.given(3) ? scaled(a.operand(0), a.operand(1), a.operand(3))
                    : functions::binary(op, a.operand(0), a.operand(1));
}
ValuePtr clamped(const Arguments& a) {
  return functions::clamp(a.tensor(0), a.optional_operand(1), a.optional_operand(2));
}
ValuePtr bounded(const Arguments& a, bool below) {
  auto bound = a.operand(1);
  return below ? functions::clamp(a.tensor(0), bound, std::nullopt)
               : functions::clamp(a.tensor(0), std::nullopt, bound);
}

}  // namespace

LAMINA_WITH_IN_PLACE(add, LAMINA_SUM_SIGNATURE, sum_of(a, Op::add))
LAMINA_WITH_IN_PLACE(sub, LAMINA_SUM_SIGNATURE, sum_of(a, Op::sub))
LAMINA_WITH_IN_PLACE(subtract, LAMINA_SUM_SIGNATURE, sum_of(a, Op::sub))
LAMINA_WITH_IN_PLACE(multiply, "input, other", functions::binary(Op::mul, a.operand(0), a.operand(1)))
LAMINA_WITH_IN_PLACE(div, "input, other, *, rounding_mode=None", functions::div(a.operand(0), a.operand(1), a.text(2)))
LAMINA_WITH_IN_PLACE(divide, "input, other, *, rounding_mode=None",
                     functions::div(a.operand(0), a.operand(1), a.text(2)))
LAMINA_WITH_IN_PLACE(true_divide, "input, other", functions::div(a.operand(0), a.operand(1), nullptr))
LAMINA_WITH_IN_PLACE(pow, "input, exponent", functions::pow(a.operand(0), a.operand(1)))
LAMINA_WITH_IN_PLACE(clamp, "input, min=None, max=None", clamped(a))
LAMINA_WITH_IN_PLACE(clip, "input, min=None, max=None", clamped(a))
LAMINA_WITH_IN_PLACE(clamp_min, "input, min", bounded(a, true))
LAMINA_WITH_IN_PLACE(clamp_max, "input, max", bounded(a, false))

namespace {

ValuePtr chosen(const ValuePtr& condition, const functions::Operand& x, const functions::Operand& y) {
  static bool told = false;
  if (condition->dtype == DType::kUInt8)
    warn_once(told,
              "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future "
              "version of PyTorch. Use a boolean condition instead.");
  return functions::where(condition, x, y);
}

}  // namespace

LAMINA_FUNCTION_AS(kModule, where_function, "where", "condition, input=None, other=None") {
  if (!a.given(1) && !a.given(2)) {
    Object nonzero(checked(PyObject_GetAttrString(a.tensor_object(0), "nonzero")));
    Object keywords(checked(Py_BuildValue("{s:O}", "as_tuple", Py_True)));
    Object empty(checked(PyTuple_New(0)));
    return checked(PyObject_Call(nonzero.get(), empty.get(), keywords.get()));
  }
  return wrap(chosen(a.tensor(0), a.operand(1), a.operand(2)));
}
LAMINA_FUNCTION_AS(kMethod, where_method, "where", "input, condition, other") {
  return wrap(chosen(a.tensor(1), a.operand(0), a.operand(2)));
}

// Composed in C++ because a training step calls it: 0.5 x (1 + erf(x / sqrt 2)), or its tanh approximation.
LAMINA_FUNCTION(kModule, _gelu, "input, tanh") {
  using namespace build;
  const ValuePtr& x = a.tensor(0);
  check(is_floating(x->dtype), "GELU is implemented for floating point tensors, got ", name_of(x->dtype));
  ValuePtr gate = a.flag(1, false) ? build::tanh((x + x * x * x * 0.044715) * 0.79788456080286535588)
                                   : build::erf(x * 0.70710678118654752440);
  return wrap(functions::labelled(x * 0.5 * (gate + 1.0), "Gelu"));
}

}  // namespace lamina::bindings

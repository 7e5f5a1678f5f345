// Rows of the registry: random numbers.
#include <cmath>
#include <limits>

#include "bindings/generator.h"
#include "bindings/in_place.h"
#include "bindings/results.h"
#include "bindings/scalars.h"
#include "engine/index.h"
#include "functions/pointwise.h"
#include "functions/views.h"
#include "ops/build.h"
#include "ops/complex.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

DType float_type(const Arguments& a, std::size_t i, DType otherwise) {
  DType dtype = a.dtype(i).value_or(otherwise);
  check(is_differentiable(dtype), a.signature().name(), "(): expected a floating point dtype, got ", name_of(dtype));
  return dtype;
}

// Both parts of a complex number are drawn; those of a normal one have half the variance each.
ValuePtr draw(Op op, const Shape* shape, DType dtype, engine::Generator& from, Device device) {
  if (!is_complex(dtype)) return engine::random(op, shape, dtype, from, device);
  DimVector dims(shape->dims().begin(), shape->dims().end());
  dims.push_back(2);
  ValuePtr parts = engine::random(op, Shape::of(dims), part_type(dtype), from, device);
  return build::view_as_complex(op == Op::normal ? build::mul(parts, build::number(std::sqrt(0.5), parts->dtype))
                                                 : parts);
}

// `drawn`, which depends on `operand` with a gradient of 0.
ValuePtr constant_in(const ValuePtr& operand, ValuePtr drawn) {
  if (!grad_enabled() || !operand->requires_grad()) return drawn;
  ValuePtr never = build::full(drawn->shape, 0, DType::kBool, drawn->device());
  return build::where(never, build::cast(operand, drawn->dtype), drawn);
}

engine::Generator& generator(const Arguments& a, std::size_t i) {
  return a.given(i) ? generator_from(a.object(i)) : engine::default_generator();
}

// rand and randn
PyObject* drawn(Op op, const Arguments& a) {
  DType dtype = float_type(a, 1, functions::default_float());
  return fresh_tensor(a, draw(op, Shape::of(a.rest_dims()), dtype, generator(a, 4), a.device(2)), 3);
}

// rand_like and randn_like
PyObject* drawn_like(Op op, const Arguments& a) {
  const ValuePtr& like = a.tensor(0);
  DType dtype = float_type(a, 1, like->dtype);
  return fresh_tensor_like(a, draw(op, like->shape, dtype, generator(a, 4), a.device(2, like->device())), 3);
}

PyObject* in_place(const Arguments& a, ValuePtr value) {
  engine::check_assignable(a.variable(0));
  ValuePtr converted = build::cast(value, a.tensor(0)->dtype);
  value.reset();
  engine::assign(a.variable(0), std::move(converted));
  return self_of(a);
}

// Random numbers for a tensor of any type are drawn in its own float type, or float32.
DType drawn_type(const Arguments& a) {
  return is_differentiable(a.tensor(0)->dtype) ? a.tensor(0)->dtype : DType::kFloat32;
}

// True with probability p, elementwise.
ValuePtr trials(const ValuePtr& p, engine::Generator& from) {
  return build::binary(Op::lt, engine::random(Op::uniform, p->shape, p->dtype, from, p->device()), p);
}

void check_deviation(double deviation) {
  check(deviation >= 0, "normal expects std >= 0.0, but found std ", deviation);
}

// How C++ calls the type, as PyTorch's messages about bounds do.
const char* c_name(DType dtype) {
  constexpr const char* kNames[kDTypeCount] = {"bool",
                                               "unsigned char",
                                               "signed char",
                                               "short",
                                               "int",
                                               "long",
                                               "c10::Half",
                                               "c10::BFloat16",
                                               "float",
                                               "double",
                                               "c10::complex<c10::Half>",
                                               "c10::complex<float>",
                                               "c10::complex<double>"};
  return kNames[index_of(dtype)];
}

// All whole numbers from 0 to this one are the type's.
constexpr std::int64_t kCountedTo[kDTypeCount] = {1,         255,       INT8_MAX, INT16_MAX, INT32_MAX,
                                                  INT64_MAX, 1ll << 11, 1ll << 8, 1ll << 24, 1ll << 53,
                                                  1ll << 11, 1ll << 24, 1ll << 53};

double largest_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return 65504;
    case DType::kBFloat16:
      return 0x1.FEp127;
    case DType::kFloat32:
      return static_cast<double>(std::numeric_limits<float>::max());
    default:
      return std::numeric_limits<double>::max();
  }
}

// What a bound of drawn integers must lie within: the numbers that the type has.
void check_whole_bound(const char* name, std::int64_t bound, DType dtype) {
  if (dtype == DType::kInt64) return;
  if (is_floating(dtype))
    return check(std::abs(static_cast<double>(bound)) <= largest_of(dtype), name, " is out of bounds for ",
                 c_name(dtype));
  int bits = static_cast<int>(size_of(dtype)) * 8;
  bool natural = dtype == DType::kUInt8 || dtype == DType::kBool;
  std::int64_t low = natural ? 0 : -(1ll << (bits - 1)), high = dtype == DType::kBool ? 1 : low + (1ll << bits) - 1;
  check(bound >= low && bound <= high, name, " is out of bounds for ", c_name(dtype));
}

// Integers from `low` to below `high`, as numbers of `dtype`.
ValuePtr integers_within(std::int64_t low, std::int64_t high, const Shape* shape, DType dtype, engine::Generator& from,
                         Device device) {
  check(!is_complex(dtype), "check_random_bounds handles only integral, floating-point and boolean types");
  if (low < high) {  // drawing raises else
    check_whole_bound("from", low, dtype);
    check_whole_bound("to - 1", high - 1, dtype);
  }
  return build::cast(engine::random_integers(shape, low, high, from, device), dtype);
}

ValuePtr checked_trials(const ValuePtr& p, engine::Generator& from) {
  if (!is_floating(p->dtype))
    fail(ErrorKind::kNotImplemented, "\"bernoulli_tensor_cpu_p_\" not implemented for '",
         functions::scalar_name(p->dtype), "'");
  check(engine::all_within(p, 0, 1),
        "Expected p_in >= 0 && p_in <= 1 to be true, but got false: a probability is outside of [0, 1]");
  return trials(build::detach(p), from);
}

// bernoulli and bernoulli_ with the number `p` for all elements; their third argument is the generator.
ValuePtr uniform_trials(const Arguments& a, double p) {
  check(p >= 0 && p <= 1, "bernoulli_ expects p to be in [0, 1], but got p=", p);
  return trials(build::full(a.tensor(0)->shape, p, drawn_type(a), a.tensor(0)->device()), generator(a, 2));
}

}  // namespace

LAMINA_FUNCTION(kModule, rand,
                "*size, dtype=None, device=None, requires_grad=False, generator=None, layout=None, pin_memory=False") {
  return drawn(Op::uniform, a);
}
LAMINA_FUNCTION(kModule, randn,
                "*size, dtype=None, device=None, requires_grad=False, generator=None, layout=None, pin_memory=False") {
  return drawn(Op::normal, a);
}
LAMINA_FUNCTION(
    kModule, rand_like,
    "input, *, dtype=None, device=None, requires_grad=False, generator=None, layout=None, pin_memory=False, "
    "memory_format=None") {
  return drawn_like(Op::uniform, a);
}
LAMINA_FUNCTION(
    kModule, randn_like,
    "input, *, dtype=None, device=None, requires_grad=False, generator=None, layout=None, pin_memory=False, "
    "memory_format=None") {
  return drawn_like(Op::normal, a);
}
// randint(high, size) or randint(low, high, size).
LAMINA_FUNCTION(kModule, randint,
                "low=None, high=None, size=None, *, dtype=None, device=None, requires_grad=False, generator=None, "
                "layout=None, pin_memory=False") {
  bool short_form = a.given(1) && !integer_from(a.object(1));
  bool one_bound = short_form || !a.given(1);
  std::int64_t low = one_bound || !a.given(0) ? 0 : a.integer(0), high = one_bound ? a.integer(0) : a.integer(1);
  DimVector size = short_form ? a.dims(1) : a.dims(2);
  DType dtype = a.dtype(3).value_or(DType::kInt64);
  return fresh_tensor(a, integers_within(low, high, Shape::of(size), dtype, generator(a, 6), a.device(4)), 5);
}
LAMINA_FUNCTION(kModule, randperm,
                "n, *, dtype=None, device=None, requires_grad=False, generator=None, layout=None, pin_memory=False") {
  const DType dtype = a.dtype(1).value_or(DType::kInt64);
  if (dtype == DType::kBool) fail(ErrorKind::kNotImplemented, "\"randperm\" not implemented for 'Bool'");
  const std::int64_t most = kCountedTo[index_of(dtype)];
  if (!is_floating(dtype))
    functions::check_fits(functions::Operand::of(a.integer(0) - 1), dtype);
  else if (dtype != DType::kBFloat16)  // PyTorch rounds those
    check(a.integer(0) <= most + 1, "n cannot be greater than ", most + 1, " for ", functions::scalar_name(dtype),
          " type.");
  ValuePtr value = engine::random_permutation(a.integer(0), generator(a, 4), a.device(2));
  return fresh_tensor(a, build::cast(value, dtype), 3);
}
LAMINA_FUNCTION(kBoth, bernoulli, "input, p=None, *, generator=None") {
  const ValuePtr& x = a.tensor(0);
  if (a.given(1)) return wrap(build::cast(uniform_trials(a, a.number(1)), x->dtype));
  return wrap(constant_in(x, build::cast(checked_trials(x, generator(a, 2)), x->dtype)));
}
LAMINA_FUNCTION(kMethod, bernoulli_, "input, p=0.5, *, generator=None") {
  if (a.given(1) && is_tensor(a.object(1))) {
    const Shape *own = a.tensor(0)->shape, *common = broadcast(own, a.tensor(1)->shape);
    check(common == own, "output with shape ", to_string(own->dims(), '[', ']'), " doesn't match the broadcast shape ",
          to_string(common->dims(), '[', ']'));
    return in_place(a, checked_trials(build::expand(a.tensor(1), own), generator(a, 2)));
  }
  return in_place(a, uniform_trials(a, a.number(1, 0.5)));
}
// normal(mean, std, size) with numbers, or elementwise with tensors, by which the gradient is 0.
LAMINA_FUNCTION(kModule, normal,
                "mean, std=1.0, size=None, *, dtype=None, device=None, requires_grad=False, generator=None, "
                "layout=None, pin_memory=False") {
  using namespace build;
  functions::Operand mean = a.operand(0), deviation = a.given(1) ? a.operand(1) : functions::Operand::of(1.0);
  const Shape* shape = a.given(2) ? Shape::of(a.dims(2)) : nullptr;
  Device device = a.device(4);
  for (const functions::Operand* operand : {&mean, &deviation}) {
    if (operand->is_number()) continue;
    shape = shape ? broadcast(shape, operand->value->shape) : operand->value->shape;
    device = operand->value->device();
  }
  check(shape != nullptr, "normal(): expected a size, or a tensor as mean or std");
  DType dtype = float_type(a, 3,
                           is_differentiable(functions::result_type({mean, deviation}))
                               ? functions::result_type({mean, deviation})
                               : functions::default_float());
  if (deviation.is_number())
    check_deviation(deviation.as_double());
  else if (!deviation.value->has(kPerExample))
    check(engine::all_within(deviation.value, 0, std::numeric_limits<double>::infinity()),
          "normal expects all elements of std >= 0.0");
  ValuePtr draws = draw(Op::normal, shape, dtype, generator(a, 6), device);
  {
    GradMode off(false);
    draws = draws * deviation.as(dtype) + mean.as(dtype);
  }
  for (const functions::Operand* operand : {&mean, &deviation})
    if (!operand->is_number()) draws = constant_in(operand->value, std::move(draws));
  return fresh_tensor(a, std::move(draws), 5);
}
LAMINA_FUNCTION(kMethod, normal_, "input, mean=0, std=1, *, generator=None") {
  using namespace build;
  check_deviation(a.number(2, 1));
  ValuePtr draws = draw(Op::normal, a.tensor(0)->shape, drawn_type(a), generator(a, 3), a.tensor(0)->device());
  return in_place(a, draws * a.number(2, 1) + a.number(1, 0));
}
LAMINA_FUNCTION(kMethod, uniform_, "input, from=0, to=1, *, generator=None") {
  using namespace build;
  double low = a.number(1, 0), high = a.number(2, 1);
  DType dtype = part_type(a.tensor(0)->dtype);
  if (!is_floating(dtype))
    fail(ErrorKind::kNotImplemented, "\"check_uniform_bounds\" not implemented for '", functions::scalar_name(dtype),
         "'");
  double largest = largest_of(dtype);
  check(std::abs(low) <= largest, "from is out of bounds for ", c_name(dtype));
  check(std::abs(high) <= largest, "to is out of bounds for ", c_name(dtype));
  check(low <= high, "uniform_ expects to return a [from, to) range, but found from=", low, " > to=", high);
  check(high - low <= largest, "uniform_ expects to-from <= std::numeric_limits<", functions::scalar_name(dtype),
        ">::max(), but found to=", high, " and from=", low, " which result in to-from to exceed the limit");
  ValuePtr draws = draw(Op::uniform, a.tensor(0)->shape, drawn_type(a), generator(a, 3), a.tensor(0)->device());
  ValuePtr start = number(low, dtype);
  return in_place(a, draws * (high - low) + (is_complex(draws->dtype) ? complex(start, start) : start));
}
LAMINA_FUNCTION(kMethod, random_, "input, from=None, to=None, *, generator=None") {
  // random_() fills with what the type can hold exactly, as does random_(from, None) from there on; random_(to) starts
  // at 0.
  DType dtype = a.tensor(0)->dtype;
  if (is_complex(dtype))
    fail(ErrorKind::kNotImplemented, "\"random_\" not implemented for '", functions::scalar_name(dtype), "'");
  std::int64_t low = 0, high = kCountedTo[index_of(dtype)];
  if (high != INT64_MAX) ++high;
  if (a.given(2)) {
    low = a.integer(1, 0);
    high = a.integer(2);
  } else if (a.given(1)) {
    (a.object(2) ? low : high) = a.integer(1);
  }
  return in_place(a, integers_within(low, high, a.tensor(0)->shape, dtype, generator(a, 3), a.tensor(0)->device()));
}

// Zero with probability p, the rest scaled by 1 / (1 - p): drawn for this shape, which repeats to the input's.
LAMINA_FUNCTION(kModule, _drop, "input, shape, p") {
  using functions::Operand;
  const ValuePtr& x = a.tensor(0);
  const double p = a.number(2);
  const ValuePtr drawn =
      draw(Op::uniform, Shape::of(a.dims(1)), functions::default_float(), engine::default_generator(), x->device());
  // The gradient needs only the mask, one byte an element.
  const ValuePtr keep = functions::binary(Op::ge, drawn, Operand::of(p));
  const ValuePtr scaled = functions::binary(Op::mul, x, Operand::of(1.0 / (1.0 - p)));
  ValuePtr dropped = functions::where(keep, scaled, Operand::of(0.0));
  return wrap(functions::labelled(laid(std::move(dropped), a.variable(0), MemoryFormat::kPreserve), "Mul"));
}

}  // namespace lamina::bindings

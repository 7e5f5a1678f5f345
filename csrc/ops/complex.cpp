// Ops on complex numbers as ops on their parts.
#include "ops/complex.h"

#include <algorithm>
#include <vector>

#include "ops/complex_functions.h"
#include "ops/memory_order.h"
#include "support/check.h"

namespace lamina {

namespace {

using namespace build;

ValuePtr part(const ValuePtr& pairs, std::int64_t which, const Shape* shape) {
  return reshape(narrow(pairs, shape->rank(), which, 1), shape);
}

// What is new is in memory of its own: a view of an operand is not.
ValuePtr owned(const ValuePtr& x) { return is_view(x.get()) ? clone(x) : x; }

ValuePtr is_not_zero(const ValuePtr& x) {
  if (x->dtype == DType::kBool) return x;
  Parts of = parts(x);
  auto differs = [](const ValuePtr& y) { return binary(Op::ne, y, number(0, y->dtype)); };
  return is_complex(x->dtype) ? binary(Op::logical_or, differs(of.real), differs(of.imaginary)) : differs(x);
}

// Of all numbers along the axes of a reduction: pairs are multiplied until one is left.
ValuePtr product(const ValuePtr& x, Dims axes, const Shape* shape) {
  ValuePtr left = with_axes_last(x, axes);
  int last = left->shape->rank() - 1;
  std::int64_t n = (*left->shape)[last];
  if (n == 0) return full(shape, 1, x->dtype, x->device());
  for (; n > 1; n = (n + 1) / 2) {
    std::int64_t half = n / 2;
    ValuePtr pairs = narrow(left, last, 0, half) * narrow(left, last, half, half);
    const ValuePtr with_odd[] = {pairs, n % 2 ? narrow(left, last, n - 1, 1) : nullptr};
    left = n % 2 ? cat(with_odd, last) : pairs;
  }
  return owned(reshape(left, shape));
}

// Along an axis counted from behind, by doubling: after each turn an element is the product of twice as many up to it.
ValuePtr cumulative_product(ValuePtr x, int axis) {
  const int place = x->shape->rank() + axis;
  std::int64_t n = (*x->shape)[place];
  for (std::int64_t reach = 1; reach < n; reach *= 2) {
    const ValuePtr both[] = {narrow(x, place, 0, reach),
                             narrow(x, place, reach, n - reach) * narrow(x, place, 0, n - reach)};
    x = cat(both, place);
  }
  return n > 1 ? x : clone(x);
}

ValuePtr cumulative_sum(const ValuePtr& x, int axis) {
  return view_as_complex(rowwise(Op::cumsum, view_as_real(x), axis - 1));
}

ValuePtr converted(const ValuePtr& x, DType dtype) {
  if (dtype == DType::kBool) return is_not_zero(x);
  if (!is_complex(dtype)) return owned(cast(parts(x).real, dtype));
  if (x->op == kScalar && is_complex(x->dtype)) return make_scalar(x->scalar, dtype);
  if (is_complex(x->dtype)) return view_as_complex(cast(view_as_real(x), part_type(dtype)));
  ValuePtr real = cast(x, part_type(dtype));
  return complex(real, number(0, real->dtype));
}

// An op that is linear in each of its two operands.
template <typename Combine>
ValuePtr by_parts(std::span<Value* const> inputs, Combine&& combine) {
  Parts a = parts(ValuePtr(inputs[0])), b = parts(ValuePtr(inputs[1]));
  return complex(combine(a.real, b.real) - combine(a.imaginary, b.imaginary),
                 combine(a.real, b.imaginary) + combine(a.imaginary, b.real));
}

ValuePtr compose(Op op, std::span<Value* const> inputs, const Shape* shape, DType dtype, const Attribute* attribute) {
  ValuePtr x(inputs[0]), y(inputs.size() > 1 ? inputs[1] : nullptr);
  auto real_type = part_type(dtype);
  switch (op) {
    case Op::cast:
      return converted(x, dtype);
    case Op::add:
    case Op::sub:
      return view_as_complex(binary(op, view_as_real(x), view_as_real(y)));
    case Op::neg:
      return view_as_complex(neg(view_as_real(x)));
    case Op::where: {
      DimVector dims(x->shape->dims().begin(), x->shape->dims().end());
      dims.push_back(1);
      ValuePtr condition = reshape(x, Shape::of(dims));
      return view_as_complex(where(condition, view_as_real(y), view_as_real(ValuePtr(inputs[2]))));
    }
    case Op::eq:
    case Op::ne: {
      Parts a = parts(x), b = parts(y);
      return binary(op == Op::eq ? Op::logical_and : Op::logical_or, binary(op, a.real, b.real),
                    binary(op, a.imaginary, b.imaginary));
    }
    case Op::logical_not:
      return unary(op, is_not_zero(x));
    case Op::logical_and:
    case Op::logical_or:
    case Op::logical_xor:
      return binary(op, is_not_zero(x), is_not_zero(y));
    case Op::isnan:
    case Op::isinf: {
      Parts of = parts(x);
      return binary(Op::logical_or, unary(op, of.real), unary(op, of.imaginary));
    }
    case Op::any:
    case Op::all:
      return record(op, {is_not_zero(x).get()}, shape, DType::kBool, attribute);
    case Op::sum:
      return view_as_complex(record(op, {view_as_real(x).get()}, with_parts(shape), real_type, attribute));
    case Op::prod:
      return product(x, attribute->values(), shape);
    case Op::cumsum:
      return cumulative_sum(x, static_cast<int>((*attribute)[0]));
    case Op::cumprod:
      return cumulative_product(x, static_cast<int>((*attribute)[0]));
    case Op::matmul:
    case Op::convolution:
    case Op::convolution_input:
    case Op::convolution_weight:
      return by_parts(inputs, [&](const ValuePtr& a, const ValuePtr& b) {
        return record(op, {a.get(), b.get()}, shape, real_type, attribute);
      });
    case Op::extend_input: {
      Parts of = parts(x);
      auto back = [&](const ValuePtr& y) { return record(op, {y.get()}, shape, real_type, attribute); };
      return complex(back(of.real), back(of.imaginary));
    }
    case Op::scatter_add:
    case Op::put_rows: {
      Parts base = parts(x), source = parts(ValuePtr(inputs[2]));
      auto of = [&](const ValuePtr& a, const ValuePtr& b) {
        return record(op, {a.get(), inputs[1], b.get()}, shape, real_type, attribute);
      };
      return complex(of(base.real, source.real), of(base.imaginary, source.imaginary));
    }
    default:
      return complex_function(op, x, y);
  }
}

// With parts of half precision: in complex64, rounded once.
ValuePtr compose_wide(Op op, std::span<Value* const> inputs, const Shape* shape, DType dtype,
                      const Attribute* attribute) {
  std::vector<ValuePtr> kept;
  std::vector<Value*> operands;
  for (Value* input : inputs) {
    kept.push_back(input->dtype == DType::kComplex32 ? cast(ValuePtr(input), DType::kComplex64) : ValuePtr(input));
    operands.push_back(kept.back().get());
  }
  DType wide_dtype = dtype == DType::kComplex32 ? DType::kComplex64 : dtype;
  ValuePtr result = record(op, operands, shape, wide_dtype, attribute);
  if (dtype != DType::kComplex32) return result;
  return cast(result, is_complex(result->dtype)       ? dtype
                      : result->dtype == DType::kBool ? DType::kBool
                                                      : part_type(dtype));
}

}  // namespace

bool computes_complex(Op op) {
  switch (op) {
    case Op::cast:
    case Op::add:
    case Op::sub:
    case Op::neg:
    case Op::where:
    case Op::eq:
    case Op::ne:
    case Op::logical_not:
    case Op::logical_and:
    case Op::logical_or:
    case Op::logical_xor:
    case Op::isnan:
    case Op::isinf:
      return true;
    default:
      return is_complex_function(op);
  }
}

ValuePtr record_complex(Op op, std::span<Value* const> inputs, const Shape* shape, DType dtype,
                        const Attribute* attribute) {
  bool half = op != Op::cast && std::ranges::any_of(inputs, [](Value* x) { return x->dtype == DType::kComplex32; });
  ValuePtr result =
      half ? compose_wide(op, inputs, shape, dtype, attribute) : compose(op, inputs, shape, dtype, attribute);
  unsigned flags = 0;
  for (const Value* input : inputs) flags |= input->flags;
  Family family = row(op).kernel.family;
  if (flags & kReordered && (family == Family::kElementwise || family == Family::kCast))
    show_strides(result.get(), elementwise_strides(shape, inputs));
  if (result->requires_grad() && !result->leaf) set_label(result.get(), row(op).label);
  return result;
}

namespace build {

Parts parts(const ValuePtr& x) {
  DType dtype = part_type(x->dtype);
  if (!is_complex(x->dtype)) return {x, number(0, dtype)};
  if (x->op == kScalar) return {make_scalar({x->scalar.low, 0}, dtype), make_scalar({x->scalar.high, 0}, dtype)};
  ValuePtr pairs = view_as_real(x);
  return {part(pairs, 0, x->shape), part(pairs, 1, x->shape)};
}

ValuePtr complex(const ValuePtr& real, const ValuePtr& imaginary) {
  const Shape* shape = broadcast(real->shape, imaginary->shape);
  DimVector dims(shape->dims().begin(), shape->dims().end());
  dims.push_back(1);
  const Shape* single = Shape::of(dims);
  bool meta = real->device() == Device::kMeta || imaginary->device() == Device::kMeta;
  auto column = [&](const ValuePtr& x) {  // of a number there is one on every device
    return reshape(meta && x->op == kScalar ? make_meta(shape, x->dtype) : expand(x, shape), single);
  };
  const ValuePtr both[] = {column(real), column(imaginary)};
  return view_as_complex(cat(both, shape->rank()));
}

ValuePtr conj(const ValuePtr& x) {
  if (!is_complex(x->dtype)) return x;
  Parts of = parts(x);
  return complex(of.real, neg(of.imaginary));
}

}  // namespace build

}  // namespace lamina

// Runs a random program op by op, or recorded as a whole, and collects its results and gradients.
#pragma once

#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "autograd/gradients.h"
#include "random_instructions.h"
#include "recorded_values.h"

namespace lamina::testing {

inline void require_gradient(const ValuePtr& value) {
  value->flags |= kRequiresGrad;
  attach_leaf(value.get(), LeafPtr::adopt(new LeafState));
}

inline ValuePtr evaluate(const Instruction& one, const std::vector<ValuePtr>& values) {
  using Kind = Instruction::Kind;
  auto operand = [&](std::size_t i) { return values[one.operands[i]]; };
  Dims numbers(one.numbers);
  switch (one.kind) {
    case Kind::kInput: {
      std::vector<double> real(numbers.begin(), numbers.end());
      ValuePtr value = one.dtype == DType::kFloat64 ? leaf_of(one.shape, one.dtype, real)
                       : one.dtype == DType::kFloat32
                           ? leaf_of(one.shape, one.dtype, std::vector<float>(real.begin(), real.end()))
                       : one.dtype == DType::kInt32
                           ? leaf_of(one.shape, one.dtype, std::vector<std::int32_t>(real.begin(), real.end()))
                           : leaf_of(one.shape, one.dtype, std::vector<std::int64_t>(numbers.begin(), numbers.end()));
      if (one.parameter) require_gradient(value);
      return value;
    }
    case Kind::kRealInput: {
      std::vector<double> real;
      for (std::int64_t number : one.numbers) real.push_back(std::sin(static_cast<double>(number)));
      ValuePtr value = leaf_of(one.shape, one.dtype, real);
      if (one.parameter) require_gradient(value);
      return value;
    }
    case Kind::kUnary:
      return build::unary(one.op, operand(0));
    case Kind::kBinary:
      return build::binary(one.op, operand(0), operand(1));
    case Kind::kScaled:
      return build::mul(operand(0), make_scalar(one.numbers[0], one.dtype));
    case Kind::kWhere:
      return build::where(build::binary(Op::gt, operand(0), operand(1)), operand(0), operand(1));
    case Kind::kCast:
      return build::cast(operand(0), one.dtype);
    case Kind::kReduce:
      return build::sum(operand(0), numbers.first(numbers.size() - 1), numbers.back() != 0);
    case Kind::kMatmul:
      return build::matmul(operand(0), operand(1), numbers[0] != 0, numbers[1] != 0);
    case Kind::kReshape:
      return build::reshape(operand(0), one.shape);
    case Kind::kPermute:
      return build::permute(operand(0), numbers);
    case Kind::kExpand:
      return build::expand(operand(0), one.shape);
    case Kind::kSlice:
      return build::slice(operand(0), one.shape, numbers.first(numbers.size() / 2), numbers.last(numbers.size() / 2));
    case Kind::kSliceUpdate:
      return build::slice_update(operand(0), operand(1), Attribute::of(numbers));
    case Kind::kCat: {
      std::vector<ValuePtr> parts;
      for (std::size_t part : one.operands) parts.push_back(values[part]);
      return build::cat(parts, static_cast<int>(numbers[0]));
    }
    case Kind::kCumsum:
      return build::rowwise(Op::cumsum, operand(0), static_cast<int>(numbers[0]));
    case Kind::kFull:
      return build::full(one.shape, static_cast<double>(numbers[0]), one.dtype);
    case Kind::kClone:
      return build::clone(operand(0));
    case Kind::kStandardize:
      return build::standardize(operand(0), Attribute::of({std::bit_cast<std::int64_t>(1e-3)}));
    case Kind::kRowwise:
      return build::rowwise(one.op, operand(0), static_cast<int>(numbers[0]));
    case Kind::kMasked: {
      ValuePtr masked = make_scalar(static_cast<double>(numbers[0]), one.dtype), zero = make_scalar(0.0, one.dtype);
      return build::where(build::binary(Op::gt, operand(1), zero), operand(0), masked);
    }
    default:
      return nullptr;
  }
}

// The numbers, as doubles, of every value held at the end, and the gradients of the root if there is one; a name each.
struct Outcome {
  std::vector<std::pair<std::string, std::vector<double>>> results;
};

// eager: every op is run on its own, everything is kept as long as the program runs.
template <typename Program>
Outcome run(const Program& program, bool eager, bool differentiate) {
  struct Ignore : GradientObserver {
    void leaf(Value*, ValuePtr) override {}
    ValuePtr hooked(Value*, ValuePtr gradient) override { return gradient; }
  };
  std::vector<ValuePtr> values, kept, parameters;
  for (const Instruction& one : program.instructions()) {
    if (one.kind == Instruction::Kind::kFlush) {
      engine::flush();
    } else if (one.kind == Instruction::Kind::kDrop) {
      for (std::size_t value : one.operands) values[value].reset();
    } else {
      values.push_back(evaluate(one, values));
      if (one.parameter) parameters.push_back(values.back());
      if (eager) {
        kept.push_back(values.back());
        engine::realize(values.back().get());
      }
    }
  }
  std::vector<ValuePtr> gradient;
  auto root = program.root();
  if (differentiate && root && values[*root]->requires_grad()) {
    std::vector<Value*> inputs;
    for (const ValuePtr& parameter : parameters) inputs.push_back(parameter.get());
    ValuePtr seed = build::full(values[*root]->shape, 1, values[*root]->dtype);
    if (eager) engine::realize(seed.get());
    GradientOptions options;
    options.inputs = inputs;
    options.create_graph = eager;  // keeps every intermediate gradient in the reference
    Ignore ignore;
    Value* roots[] = {values[*root].get()};
    gradient = gradients(roots, std::span<const ValuePtr>(&seed, 1), options, ignore);
  }
  engine::flush();
  Outcome outcome;
  auto note = [&](const std::string& name, const ValuePtr& value) {
    if (!value) return;
    ValuePtr real = build::cast(build::detach(value), DType::kFloat64);
    outcome.results.emplace_back(name, numbers_as<double>(real));
  };
  for (std::size_t i = 0; i < values.size(); ++i) note("%" + std::to_string(i), values[i]);
  for (std::size_t i = 0; i < gradient.size(); ++i) note("gradient " + std::to_string(i), gradient[i]);
  return outcome;
}

}  // namespace lamina::testing

// What random programs consist of: a program is made first, as data, and can then be run in different ways that must
// agree.
#pragma once

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ops/build.h"
#include "support/check.h"

namespace lamina::testing {

struct Instruction {
  enum class Kind {
    kInput,
    kRealInput,
    kUnary,
    kBinary,
    kScaled,
    kWhere,
    kCast,
    kReduce,
    kMatmul,
    kReshape,
    kPermute,
    kExpand,
    kSlice,
    kCat,
    kSliceUpdate,
    kCumsum,
    kFull,
    kClone,
    kStandardize,
    kRowwise,
    kMasked,
    kFlush,
    kDrop
  };
  Kind kind;
  std::vector<std::size_t> operands = {};  // what kDrop lets go of
  Op op = Op::add;
  const Shape* shape = nullptr;
  DType dtype = DType::kFloat64;
  DimVector numbers = {};  // axes, starts and steps, flags, an input's elements
  bool parameter = false;
};

inline std::string list(const std::vector<Instruction>& instructions) {
  using Kind = Instruction::Kind;
  std::string out;
  std::size_t number = 0;
  for (const Instruction& one : instructions) {
    out += one.kind >= Kind::kFlush ? "  " : "%" + std::to_string(number++) + " = ";
    out += "kind " + std::to_string(static_cast<int>(one.kind));
    if (one.kind == Kind::kUnary || one.kind == Kind::kBinary || one.kind == Kind::kReduce ||
        one.kind == Kind::kRowwise)
      out += std::string(" ") + row(one.op).name;
    for (std::size_t operand : one.operands) out += " %" + std::to_string(operand);
    if (one.shape) out += std::string(" ") + name_of(one.dtype) + lamina::to_string(one.shape->dims(), '[', ']');
    if (!one.numbers.empty() && one.kind != Kind::kInput && one.kind != Kind::kRealInput)
      out += " by " + lamina::to_string(one.numbers);
    out += "\n";
  }
  return out;
}

}  // namespace lamina::testing

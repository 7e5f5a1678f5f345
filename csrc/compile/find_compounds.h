// Which of a group's operations run together, as one compound kernel.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "compile/program.h"

namespace lamina {

// A compound's formula in Polish notation: kernels' numbers, and kFormulaOperand + k for operand k.
using Formula = std::vector<std::uint8_t>;
inline constexpr std::uint8_t kFormulaOperand = 0xF0;
// By the compound's number.
std::span<const Formula> compound_formulas();

// How a member of a group is computed.
struct Computed {
  bool within = false;  // by the compound of a member that reads it
  bool summed = false;  // a reduction: of the formula `sum_of` of `operands`
  SumOf sum_of{};
  bool by_compound = false;  // as the last operation of `compound`, from `operands`
  Compound compound{};
  std::array<std::uint32_t, kMostOperands> operands;
  std::size_t arity = 0;
};
// One entry a member. What is stored, or read by operations of the group that are not in it, too, is in no compound but
// as its last.
std::vector<Computed> find_compounds(const Program& program, const std::vector<std::uint32_t>& members,
                                     const std::vector<bool>& stored);

}  // namespace lamina

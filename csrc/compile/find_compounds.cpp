// Finds compounds in a group, from its last operation back to the first: of those that fit, the first in the list.
// Tests: tests/cpp/test_compounds.cpp.
#include "compile/find_compounds.h"

#include <algorithm>

namespace lamina {

namespace {

Formula joined(Elementwise kernel, std::initializer_list<const Formula*> operands) {
  Formula all{static_cast<std::uint8_t>(kernel)};
  for (const Formula* operand : operands) all.insert(all.end(), operand->begin(), operand->end());
  return all;
}

// The words that formulas are written in.
namespace words {

using F = const Formula&;
Formula add(F a, F b) { return joined(Elementwise::add, {&a, &b}); }
Formula sub(F a, F b) { return joined(Elementwise::sub, {&a, &b}); }
Formula mul(F a, F b) { return joined(Elementwise::mul, {&a, &b}); }
Formula div(F a, F b) { return joined(Elementwise::div, {&a, &b}); }
Formula square(F x) { return joined(Elementwise::square, {&x}); }
Formula sqrt(F x) { return joined(Elementwise::sqrt, {&x}); }

std::vector<Formula> all_formulas() {
  const Formula x0{kFormulaOperand}, x1{kFormulaOperand + 1}, x2{kFormulaOperand + 2}, x3{kFormulaOperand + 3},
      x4{kFormulaOperand + 4}, x5{kFormulaOperand + 5};
  return {
#define LAMINA_COMPOUND(name, arity, formula) formula,
#include "support/kernel_list.inc"
  };
}

}  // namespace words

constexpr std::uint8_t kArity[] = {
#define LAMINA_COMPOUND(name, arity, formula) arity,
#include "support/kernel_list.inc"
};

class Finder {
 public:
  Finder(const Program& program, const std::vector<std::uint32_t>& members, const std::vector<bool>& stored)
      : program_(program), members_(members), stored_(stored), found_(members.size()), reads_(members.size()) {
    for (std::uint32_t member : members)
      for (std::uint32_t operand : program[member].operands)
        if (std::size_t place = place_of(operand); place < members.size()) ++reads_[place];
  }

  std::vector<Computed> find() {
    for (std::size_t place = members_.size(); place-- > 0;)
      if (!found_[place].within) find_ending_at(place);
    return std::move(found_);
  }

 private:
  // The number of members if it is none.
  std::size_t place_of(std::uint32_t node) const {
    auto found = std::lower_bound(members_.begin(), members_.end(), node);
    return found != members_.end() && *found == node ? static_cast<std::size_t>(found - members_.begin())
                                                     : members_.size();
  }

  void find_ending_at(std::size_t place) {
    const Node& last = program_[members_[place]];
    if (last.family() != Family::kElementwise || (last.dtype != DType::kFloat32 && last.dtype != DType::kFloat64))
      return;
    std::span<const Formula> formulas = compound_formulas();
    for (std::size_t number = 0; number < formulas.size(); ++number) {
      if (formulas[number][0] != row(last.op).kernel.member) continue;
      bound_.fill(kNone);
      within_.clear();
      const std::uint8_t* at = formulas[number].data();
      if (!fits(at, members_[place], true)) continue;
      for (std::size_t inner : within_) found_[inner].within = true;
      Computed& computed = found_[place];
      computed.by_compound = true;
      computed.compound = static_cast<Compound>(number);
      computed.operands = bound_;
      computed.arity = kArity[number];
      return;
    }
  }

  // Does the node compute what the formula says from `at` on? Leaves `at` behind it.
  bool fits(const std::uint8_t*& at, std::uint32_t index, bool is_last = false) {
    std::uint8_t word = *at++;
    if (word >= kFormulaOperand) {
      std::uint32_t& bound = bound_[word - kFormulaOperand];
      if (bound == kNone) bound = index;
      return bound == index;
    }
    const Node& node = program_[index];
    if (node.kind != Node::Kind::kOp || node.family() != Family::kElementwise) return false;
    if (row(node.op).kernel.member != word) return false;
    if (!is_last) {
      std::size_t place = place_of(index);
      if (place == members_.size() || reads_[place] != 1 || stored_[index]) return false;
      within_.push_back(place);
    }
    if (node.operands.size() == 1) return fits(at, node.operands[0]);
    const std::uint8_t* start = at;
    auto bound = bound_;
    std::size_t count = within_.size();
    if (fits(at, node.operands[0]) && fits(at, node.operands[1])) return true;
    if (word != static_cast<std::uint8_t>(Elementwise::add) && word != static_cast<std::uint8_t>(Elementwise::mul))
      return false;
    at = start;  // the other way round
    bound_ = bound;
    within_.resize(count);
    return fits(at, node.operands[1]) && fits(at, node.operands[0]);
  }

  const Program& program_;
  const std::vector<std::uint32_t>& members_;
  const std::vector<bool>& stored_;
  std::vector<Computed> found_;
  std::vector<std::size_t> reads_;
  std::array<std::uint32_t, kMostOperands> bound_;
  std::vector<std::size_t> within_;
};

}  // namespace

std::span<const Formula> compound_formulas() {
  static const auto* all = new std::vector<Formula>(words::all_formulas());
  return *all;
}

std::vector<Computed> find_compounds(const Program& program, const std::vector<std::uint32_t>& members,
                                     const std::vector<bool>& stored) {
  return Finder(program, members, stored).find();
}

}  // namespace lamina

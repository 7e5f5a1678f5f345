// Finds compounds in a group, from its last operation back to the first: of those that fit, the first in the list.
// Tests: tests/cpp/test_compounds.cpp.
#include "compile/find_compounds.h"

#include <algorithm>

#include "compile/iteration_space.h"

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
Formula abs(F x) { return joined(Elementwise::abs, {&x}); }
Formula square(F x) { return joined(Elementwise::square, {&x}); }
Formula sqrt(F x) { return joined(Elementwise::sqrt, {&x}); }
Formula lt(F a, F b) { return joined(Elementwise::lt, {&a, &b}); }
Formula le(F a, F b) { return joined(Elementwise::le, {&a, &b}); }
Formula eq(F a, F b) { return joined(Elementwise::eq, {&a, &b}); }
Formula ne(F a, F b) { return joined(Elementwise::ne, {&a, &b}); }
Formula bitwise_and(F a, F b) { return joined(Elementwise::bitwise_and, {&a, &b}); }
Formula where(F condition, F a, F b) { return joined(Elementwise::where, {&condition, &a, &b}); }

std::vector<Formula> all_formulas() {
  const Formula x0{kFormulaOperand}, x1{kFormulaOperand + 1}, x2{kFormulaOperand + 2}, x3{kFormulaOperand + 3},
      x4{kFormulaOperand + 4}, x5{kFormulaOperand + 5};
  return {
#define LAMINA_COMPOUND(name, arity, formula) formula,
#include "support/kernel_list.inc"
  };
}

}  // namespace words

constexpr std::size_t kOperandsOf[] = {
#define LAMINA_ELEMENTWISE(name, arity, domain) arity,
#include "support/kernel_list.inc"
};

const std::uint8_t* end_of_part(const std::uint8_t* at) {
  const std::uint8_t word = *at++;
  for (std::size_t left = word >= kFormulaOperand ? 0 : kOperandsOf[word]; left != 0; --left) at = end_of_part(at);
  return at;
}

// How often the formula reads what it says from `part` on.
std::size_t reads_in(const Formula& formula, const std::uint8_t* part) {
  const std::uint8_t* end = end_of_part(part);
  std::size_t reads = 0;
  for (auto from = formula.begin(); (from = std::search(from, formula.end(), part, end)) != formula.end(); ++from)
    ++reads;
  return reads;
}

constexpr std::uint8_t kArity[] = {
#define LAMINA_COMPOUND(name, arity, formula) arity,
#include "support/kernel_list.inc"
};

constexpr std::size_t kOneOperation = 3;  // the length of its formula

bool is_symmetric(Elementwise kernel) {
  return kernel == Elementwise::add || kernel == Elementwise::mul || kernel == Elementwise::eq ||
         kernel == Elementwise::ne || kernel == Elementwise::bitwise_and;
}

// The kernel that does the same to swapped operands, in which formulas are written; else the kernel itself.
Elementwise swapped(Elementwise kernel) {
  return kernel == Elementwise::gt ? Elementwise::lt : kernel == Elementwise::ge ? Elementwise::le : kernel;
}

class Finder {
 public:
  Finder(const Program& program, const std::vector<std::uint32_t>& members, const std::vector<bool>& stored)
      : program_(program),
        members_(members),
        stored_(stored),
        found_(members.size()),
        reads_(members.size()),
        computed_reads_(members.size()) {
    for (std::uint32_t member : members)
      for (std::uint32_t operand : program[member].operands)
        if (std::size_t place = place_of(operand); place < members.size()) ++reads_[place];
  }

  std::vector<Computed> find() {
    for (std::size_t place = members_.size(); place-- > 0;) {
      Computed& computed = found_[place];
      computed.within = reads_[place] != 0 && computed_reads_[place] == 0 && !stored_[members_[place]];
      if (computed.within) continue;
      find_ending_at(place);
      std::span<const std::uint32_t> operands = program_[members_[place]].operands;
      if (computed.by_compound) operands = {computed.operands.data(), computed.arity};
      for (std::uint32_t operand : operands)
        if (std::size_t read = place_of(operand); read < members_.size()) ++computed_reads_[read];
    }
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
    dtype_ = last.dtype;
    std::span<const Formula> formulas = compound_formulas();
    for (std::size_t number = 0; number < formulas.size(); ++number) {
      if (formulas[number][0] != row(last.op).kernel.member) continue;
      if (formulas[number].size() == kOneOperation && !reads_what_repeats(last)) continue;
      bound_.fill(kNone);
      formula_ = &formulas[number];
      const std::uint8_t* at = formulas[number].data();
      if (!fits(at, members_[place], true)) continue;
      Computed& computed = found_[place];
      computed.by_compound = true;
      computed.compound = static_cast<Compound>(number);
      computed.operands = bound_;
      computed.arity = kArity[number];
      return;
    }
  }

  // Along the rows. Other kernels need as many copies as a tile is long.
  bool reads_what_repeats(const Node& node) const {
    return std::any_of(node.operands.begin(), node.operands.end(), [&](std::uint32_t index) {
      const Node& operand = program_[index];
      if (operand.shape == node.shape && operand.layout.strides == nullptr) return false;
      const DimVector strides = broadcast_strides(node.shape, operand.shape, operand.layout);
      return !strides.empty() && strides.back() == 0;
    });
  }

  // Does the node compute what the formula says from `at` on? Leaves `at` behind it.
  bool fits(const std::uint8_t*& at, std::uint32_t index, bool is_last = false) {
    const std::uint8_t* part = at;
    std::uint8_t word = *at++;
    const Node& node = program_[index];
    if (word >= kFormulaOperand) {
      std::uint32_t& bound = bound_[word - kFormulaOperand];
      if (bound == kNone) bound = index;
      return bound == index && node.dtype == dtype_;
    }
    if (node.kind != Node::Kind::kOp || node.family() != Family::kElementwise) return false;
    const auto kernel = static_cast<Elementwise>(row(node.op).kernel.member);
    const Elementwise written = swapped(kernel);
    if (static_cast<std::uint8_t>(written) != word) return false;
    if (!is_last) {
      std::size_t place = place_of(index);
      if (place == members_.size()) return false;
      if (node.dtype != DType::kBool && (stored_[index] || reads_[place] > reads_in(*formula_, part))) return false;
    }
    NodeVector order = node.operands;
    if (written != kernel) std::swap(order[0], order[1]);
    const std::uint8_t* start = at;
    auto bound = bound_;
    auto fit = [&] {
      return std::all_of(order.begin(), order.end(), [&](std::uint32_t operand) { return fits(at, operand); });
    };
    if (fit()) return true;
    if (!is_symmetric(kernel)) return false;
    at = start;  // the other way round
    bound_ = bound;
    std::swap(order[0], order[1]);
    return fit();
  }

  const Program& program_;
  const std::vector<std::uint32_t>& members_;
  const std::vector<bool>& stored_;
  std::vector<Computed> found_;
  std::vector<std::size_t> reads_, computed_reads_;  // of each member within the group; of its register
  DType dtype_{};
  const Formula* formula_ = nullptr;
  std::array<std::uint32_t, kMostOperands> bound_;
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

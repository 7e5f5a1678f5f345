// Pass: what scales and shifts the columns of standardized rows, as layer norm's weight and bias do, becomes part of
// the rows' step. The step of the gradient by the rows scales what comes back itself, and makes the gradients of scale
// and shift; it standardizes the rows anew for these, so that nobody need have kept them. Test:
// tests/cpp/test_fuse_affine.cpp.
#include <algorithm>
#include <vector>

#include "compile/passes.h"

namespace lamina {

namespace {

// Elements of rows that whole passes scale and shift sooner, by whole vectors, than their steps do row by row.
constexpr std::int64_t kShortRow = 32;

bool has_short_rows(const Node& node) { return node.shape->dims().back() < kShortRow; }

bool is_needed(const Node& node, Op op) { return node.is_op(op) && node.needed; }

// Nobody but one reader sees the node, which is as it was made.
bool is_private(const Program& program, std::uint32_t index) {
  const Node& node = program[index];
  return node.uses == 1 && !node.live && node.owner == index && node.made_by == kNone;
}

// A vector over the columns of `rows` that is there before `first` runs.
bool is_of_columns(const Program& program, std::uint32_t index, const Node& rows, std::uint32_t first) {
  const Node& node = program[index];
  if (node.kind == Node::Kind::kOp && index >= first) return false;
  return node.dtype == rows.dtype && is_over_columns(node, rows.shape);
}

// Does it sum over all axes but the last?
bool sums_down_columns(const Program& program, const Node& sum) {
  const Shape* shape = program[sum.operands[0]].shape;
  const auto axes = sum.attribute->values();
  if (static_cast<int>(axes.size()) != shape->rank() - 1) return false;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

// Does it show elements more than once? A step that reads rows would have them copied out, others take them as they
// lie.
bool repeats(const Node& node) {
  if (!node.layout.strides) return false;
  const auto strides = node.layout.strides->values();
  for (std::size_t axis = 0; axis < strides.size(); ++axis)
    if (strides[axis] == 0 && node.shape->dims()[axis] > 1) return true;
  return false;
}

// The other operand of a product of two; kNone if `one` is none of them.
std::uint32_t other_factor(const Node& product, std::uint32_t one) {
  if (product.operands[0] == one) return product.operands[1];
  return product.operands[1] == one ? product.operands[0] : kNone;
}

// Is the node x's rows, standardized as `back` takes them to be?
bool is_standardized(const Node& node, const Node& back) {
  return node.is_op(Op::standardize) && node.operands[0] == back.operands[1] && node.attribute == back.attribute;
}

// Sums down the columns of products and of other nodes, by what they sum.
class ColumnSums {
 public:
  explicit ColumnSums(const Program& program) : program_(program) {
    for (std::uint32_t index = 0; index < program.nodes.size(); ++index)
      if (is_needed(program[index], Op::sum) && sums_down_columns(program, program[index])) found_.push_back(index);
  }

  // Of what comes back to standardized rows; kNone if there is none.
  std::uint32_t of(std::uint32_t given) const {
    return first([&](std::uint32_t summed) { return summed == given; });
  }
  // Of it times these rows.
  std::uint32_t of_products(std::uint32_t given, const Node& back) const {
    return first([&](std::uint32_t summed) {
      const Node& product = program_[summed];
      if (!is_needed(product, Op::mul) || !is_private(program_, summed) || product.shape != back.shape) return false;
      const std::uint32_t rows = other_factor(product, given);
      return rows != kNone && is_standardized(program_[rows], back);
    });
  }

 private:
  template <typename Is>
  std::uint32_t first(Is is) const {
    const auto one = std::find_if(found_.begin(), found_.end(), [&](std::uint32_t sum) {
      return program_[sum].made_by == kNone && is(program_[sum].operands[0]);
    });
    return one == found_.end() ? kNone : *one;
  }

  const Program& program_;
  std::vector<std::uint32_t> found_;
};

// The node is not computed for itself any more, nor what only it needed.
void drop(Program& program, std::uint32_t index) {
  Node& node = program[index];
  if (node.kind != Node::Kind::kOp || node.live || !node.needed || node.uses > 0) return;
  node.needed = false;
  for (std::uint32_t operand : node.operands) {
    --program[operand].uses;
    drop(program, operand);
  }
}

// From now on the step of the gradient `back` makes a sum, where the first of its results stands.
void make_beside(Program& program, std::uint32_t sum, std::uint32_t back) {
  Node& node = program[sum];
  const std::uint32_t summed = node.operands[0];
  --program[summed].uses;
  node.operands = {};
  node.made_by = back;
  drop(program, summed);
}

// The gradient by rows whose columns were scaled.
void fuse_gradient(Program& program, std::uint32_t index, const ColumnSums& sums) {
  Node& back = program[index];
  const std::uint32_t scaled = back.operands[0], x = back.operands[1];
  if (!is_needed(program[scaled], Op::mul) || !is_private(program, scaled) || program[scaled].shape != back.shape)
    return;
  const NodeVector factors = program[scaled].operands;
  for (std::size_t side = 0; side < 2; ++side) {
    const std::uint32_t scale = factors[side], given = factors[1 - side];
    if (program[given].shape != back.shape || repeats(program[given])) continue;
    if (!is_of_columns(program, scale, back, index)) continue;
    Affine& affine = back.affine;
    affine.scale = scale;
    affine.at = index;
    const auto make = [&](std::uint32_t sum) {
      const std::uint32_t first = std::min(affine.at, sum);
      const auto is_there = [&](std::uint32_t operand) {
        return program[operand].kind != Node::Kind::kOp || operand < first;
      };
      if (sum == kNone || !is_there(given) || !is_there(x) || !is_there(scale)) return kNone;
      affine.at = first;
      return sum;
    };
    affine.scale_sums = make(sums.of_products(given, back));
    affine.shift_sums = make(sums.of(given));
    if (!affine.sums() && (has_short_rows(back) || program[given].is_elementwise())) {  // its pass scales it as well
      affine = {};
      return;
    }
    ++program[given].uses;
    ++program[scale].uses;
    --program[scaled].uses;
    drop(program, scaled);
    back.operands[0] = given;
    for (std::uint32_t sum : {affine.scale_sums, affine.shift_sums})
      if (sum != kNone) make_beside(program, sum, index);
    if (affine.at != index) program[affine.at].operands = {given, x, scale};  // read there
    return;
  }
}

// The rows whose step makes the node; kNone: none.
std::uint32_t rows_of(const Program& program, std::uint32_t index) {
  const Node& node = program[index];
  if (node.uses != 1 || node.live) return kNone;
  const std::uint32_t rows = node.made_by == node.owner ? node.owner : index;
  return is_needed(program[rows], Op::standardize) && node.shape == program[rows].shape ? rows : kNone;
}

void fuse_scale_or_shift(Program& program, std::uint32_t index) {
  const Node& node = program[index];
  if (node.shape->rank() == 0 || has_short_rows(node)) return;
  for (std::size_t side = 0; side < 2; ++side) {
    const std::uint32_t rows = rows_of(program, node.operands[side]), vector = node.operands[1 - side];
    if (rows == kNone || node.shape != program[rows].shape) continue;
    Affine& affine = program[rows].affine;
    const bool shifts = node.is_op(Op::add);
    std::uint32_t& place = shifts ? affine.shift : affine.scale;
    if (place != kNone || affine.shift != kNone || (shifts && affine.scale == kNone)) continue;
    if (!is_of_columns(program, vector, node, rows)) continue;
    place = vector;
    return absorb(program, index, rows);
  }
}

}  // namespace

void fuse_affine(Program& program) {
  const auto count = static_cast<std::uint32_t>(program.nodes.size());
  const bool any = std::any_of(program.nodes.begin(), program.nodes.end(), [](const Node& node) {
    return is_needed(node, Op::standardize) || is_needed(node, Op::standardize_input);
  });
  if (!any) return;
  const ColumnSums sums(program);
  for (std::uint32_t index = 0; index < count; ++index)
    if (is_needed(program[index], Op::standardize_input) && program[index].shape->numel() > 0)
      fuse_gradient(program, index, sums);
  for (std::uint32_t index = 0; index < count; ++index) {
    Node& node = program[index];
    node.owner = program[node.owner].owner;  // a view of what a step makes now
    if (is_needed(node, Op::mul) || is_needed(node, Op::add)) fuse_scale_or_shift(program, index);
  }
}

}  // namespace lamina

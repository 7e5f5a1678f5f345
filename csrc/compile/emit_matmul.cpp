// Emits matrix products.
#include <utility>

#include "compile/emitter.h"
#include "compile/iteration_space.h"

namespace lamina {

namespace {

// Where each product of a batch finds its matrix, from these steps along the axes of the batch.
Offsets batch_offsets(const Shape* batch, const DimVector& steps) {
  Offsets offsets{0};
  for (std::size_t axis = 0; axis < steps.size(); ++axis) {
    const std::int64_t size = batch->dims()[axis];
    Offsets next;
    next.reserve(offsets.size() * static_cast<std::size_t>(size));
    for (std::ptrdiff_t base : offsets)
      for (std::int64_t i = 0; i < size; ++i) next.push_back(base + i * steps[axis]);
    offsets = std::move(next);
  }
  return offsets;
}

// Elements from one product of a batch to the next, an axis of the batch each.
DimVector batch_steps(const Shape* batch, const Shape* shape, const DimVector& strides) {
  const Shape* own = Shape::of(shape->dims().first(shape->dims().size() - 2));
  DimVector own_strides(strides.begin(), strides.end() - 2);
  Layout layout{0, own_strides.empty() ? nullptr : Attribute::of(own_strides)};
  return broadcast_strides(batch, own, layout);
}

// Products of so many rows at most, and more than one, gain by a b that has been turned round: it is read as it lies.
// So many of them repay the turn.
constexpr std::int64_t kMostRows = 64;
constexpr std::uint32_t kLeastReaders = 8;

bool reads_transposed(const Program& program, const Node& node) {
  if (!node.is_op(Op::matmul) || !node.needed || (*node.attribute)[1] == 0 || node.shape->numel() == 0) return false;
  const Node& b = program[node.operands[1]];
  const std::int64_t rows = node.shape->numel() / node.shape->dims().back();
  return b.shape->rank() == 2 && !b.layout.strides && rows > 1 && rows <= kMostRows;
}

}  // namespace

Emitter::Emitter(Program& program, Plan& plan, bool with_notes)
    : program_(program), plan_(plan), with_notes_(with_notes) {
  for (const Node& node : program.nodes)
    if (node.kind == Node::Kind::kOp && reads_transposed(program, node)) ++transposed_[node.operands[1]].readers;
}

std::optional<Location> Emitter::turned(std::uint32_t matrix) {
  Transposed& found = transposed_[matrix];
  if (found.readers < kLeastReaders || found.copy) return found.copy;
  const std::int64_t rows = (*program_[matrix].shape)[0], columns = (*program_[matrix].shape)[1];
  found.copy = temporary(Shape::of({columns, rows}), program_[matrix].dtype);
  copy(location(matrix), {columns, rows}, {1, columns}, *found.copy, {rows, 1}, program_[matrix].dtype);
  return found.copy;
}

void Emitter::emit_matmul(std::uint32_t index) {
  const Node node = program_[index];
  if (node.shape->numel() == 0) return;
  MatmulStep step{};
  step.dtype = node.dtype;
  step.m = node.shape->dims()[node.shape->dims().size() - 2];
  step.n = node.shape->dims().back();
  if (node.operands.size() > 2)
    read_joined(node, step);
  else
    read_factors(node, step);
  if (const auto b = reads_transposed(program_, node) ? turned(node.operands[1]) : std::nullopt) {
    step.b = *b;
    step.b_row = step.n;
    step.b_column = 1;
  }
  for (std::size_t i = 0; i < step.a_offsets.size(); ++i)
    step.c_offsets.push_back(static_cast<std::ptrdiff_t>(i) * step.m * step.n);
  step.c = location(index);
  const Epilogue& more = node.epilogue;
  const auto also = [this](std::uint32_t operand, bool& has, Location& place) {
    has = operand != kNone;
    if (has) place = location(operand);
  };
  also(more.bias, step.has_bias, step.bias);
  also(more.addend, step.has_addend, step.addend);
  step.relu = more.relu;
  also(more.mask, step.has_mask, step.mask);
  also(more.base, step.has_update, step.base);
  also(more.rate, step.has_update, step.rate);
  also(more.updated, step.has_update, step.updated);
  std::string said = note("matmul ", step.m, "x", step.n, "x", step.k);
  if (step.a_offsets.size() > 1) said += note(" batch ", step.a_offsets.size());
  if (node.operands.size() > 2) said += note(" of ", node.operands.size() / 2, " products");
  said += note(step.has_bias ? " + bias" : "", step.has_addend ? " + addend" : "", step.relu ? " + relu" : "",
               step.has_mask ? ", masked" : "", step.has_update ? ", and update" : "");
  double flop = 2.0 * static_cast<double>(step.m * step.n * step.k) * static_cast<double>(step.a_offsets.size());
  add(std::move(step), said, flop / 50);
}

void Emitter::read_factors(const Node& node, MatmulStep& step) {
  const Node &a = program_[node.operands[0]], &b = program_[node.operands[1]];
  const bool ta = (*node.attribute)[0] != 0, tb = (*node.attribute)[1] != 0;
  const DimVector sa = strides_of(a.shape, a.layout), sb = strides_of(b.shape, b.layout);
  step.k = a.shape->dims()[sa.size() - (ta ? 2 : 1)];
  step.a_row = sa[sa.size() - (ta ? 1 : 2)];
  step.a_column = sa[sa.size() - (ta ? 2 : 1)];
  step.b_row = sb[sb.size() - (tb ? 1 : 2)];
  step.b_column = sb[sb.size() - (tb ? 2 : 1)];
  step.a = location(node.operands[0]);
  step.b = location(node.operands[1]);
  const Shape* batch = Shape::of(node.shape->dims().first(node.shape->dims().size() - 2));
  const DimVector a_steps = batch_steps(batch, a.shape, sa), b_steps = batch_steps(batch, b.shape, sb);
  if (is_uniform(batch->dims(), b_steps) && !ta && !a.layout.strides && batch->numel() > 1 &&
      a.shape->numel() == batch->numel() * step.m * step.k) {
    step.m *= batch->numel();  // one product with all rows
    step.a_offsets = {0};
    step.b_offsets = {0};
  } else {
    step.a_offsets = batch_offsets(batch, a_steps);
    step.b_offsets = batch_offsets(batch, b_steps);
  }
}

// A sum of products a.T @ b (see join_products): one product of the a and the b, each one below the other.
void Emitter::read_joined(const Node& node, MatmulStep& step) {
  NodeVector factors[2];
  for (std::size_t i = 0; i < node.operands.size(); ++i) factors[i % 2].push_back(node.operands[i]);
  for (std::uint32_t factor : factors[0]) step.k += (*program_[factor].shape)[0];
  step.a = stacked(factors[0], step.k);
  step.b = stacked(factors[1], step.k);
  step.a_row = step.b_column = 1;
  step.a_column = step.m;
  step.b_row = step.n;
  step.a_offsets = {0};
  step.b_offsets = {0};
}

Location Emitter::stacked(const NodeVector& matrices, std::int64_t rows) {
  const DType dtype = program_[matrices[0]].dtype;
  const std::int64_t columns = (*program_[matrices[0]].shape)[1];
  const Location place = temporary(Shape::of({rows, columns}), dtype);
  program_[place.slot].of_parts = true;
  Location part = place;
  for (std::uint32_t matrix : matrices) {
    const Shape* shape = program_[matrix].shape;
    copy(matrix, shape, part);
    part.offset += shape->numel() * static_cast<std::int64_t>(size_of(dtype));
  }
  return place;
}

}  // namespace lamina

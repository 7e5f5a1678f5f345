// Emits the steps of reductions: of what lies in memory, and of what an elementwise pass has in its registers.
#include <algorithm>

#include "compile/emitter.h"
#include "compile/iteration_space.h"

namespace lamina {

namespace {

// How much of n is reduced as one: long enough that parts are few, short enough that there are some for each thread,
// and that no result is a long chain of additions.
std::int64_t part_of(const ReducedSpace& space) {
  constexpr std::int64_t kRow = 1 << 15, kElements = 1 << 14, kFewest = 64, kMost = 1024;
  static_assert(2 * kRow >= kWholeRow);
  std::int64_t part = space.inner == 1 ? kRow : std::clamp(kElements / space.inner, kFewest, kMost);
  return space.n <= 2 * part ? space.n : part;
}

}  // namespace

void Emitter::emit_reduce(std::uint32_t index) {
  const Node node = program_[index];
  std::uint32_t operand = node.operands[0];
  const Shape* shape = program_[operand].shape;
  if (node.shape->numel() == 0) return;
  auto kernel = static_cast<Reduce>(row(node.op).kernel.member);
  DType dtype = program_[operand].dtype;
  DimVector dims(shape->dims().begin(), shape->dims().end());
  DimVector axes(node.attribute->values().begin(), node.attribute->values().end());
  Location in = contiguous(operand);
  auto add_step = [&](const ReducedSpace& space, Location from, Location to) {
    auto [outer, n, inner] = space;
    add(ReduceStep{kernel, dtype, outer, n, inner, from, to}, note(row(node.op).name, " ", outer, "x", n, "x", inner),
        0.2 * static_cast<double>(outer * n * inner));
  };
  // Axes with others between them are reduced one group of neighbors after the other, the innermost first.
  std::optional<ReducedSpace> space;
  while (!(space = reduced_space(dims, axes))) {
    DimVector group;
    for (std::size_t i = axes.size(); i-- > 0 && (group.empty() || axes[i] == group.back() - 1);)
      group.push_back(axes[i]);
    axes.resize(axes.size() - group.size());
    ReducedSpace inner_space = *reduced_space(dims, group);
    for (std::int64_t axis : group) dims[static_cast<std::size_t>(axis)] = 1;
    Location to = temporary(Shape::of(dims), dtype);
    add_step(inner_space, in, to);
    in = to;
    dtype = node.dtype;
  }
  add_step(*space, in, location(index));
}

void Emitter::find_sums(const std::vector<std::uint32_t>& members, const std::vector<bool>& stored,
                        std::vector<Computed>& computed) const {
  constexpr std::int64_t kLongRow = 512;  // below, a call a row costs more than a tile for some
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Node& sum = program_[members[i]];
    if (sum.family() != Family::kReduce || static_cast<Reduce>(row(sum.op).kernel.member) != Reduce::sum) continue;
    std::uint32_t operand = sum.operands[0];
    std::size_t place = static_cast<std::size_t>(std::find(members.begin(), members.end(), operand) - members.begin());
    const Node& summand = program_[operand];
    ReducedSpace space = *reduced_space(summand.shape->dims(), sum.attribute->values());
    if (place == members.size() || stored[operand] || space.inner > 1 || space.n <= kLongRow) continue;
    if (sum.dtype != DType::kFloat32 && sum.dtype != DType::kFloat64) continue;
    auto readers = std::count_if(members.begin(), members.end(), [&](std::uint32_t member) {
      return std::count(program_[member].operands.begin(), program_[member].operands.end(), operand) > 0;
    });
    Computed &found = computed[place], &by_sum = computed[i];
    bool is_difference = found.by_compound && found.compound == Compound::squared_difference;
    if (readers > 1 || (found.by_compound && !is_difference)) continue;
    if (is_difference)
      by_sum.sum_of = SumOf::squared_differences, by_sum.operands = found.operands;
    else if (summand.is_op(Op::mul) && summand.operands[0] != summand.operands[1])
      by_sum.sum_of = SumOf::products, by_sum.operands = {summand.operands[0], summand.operands[1]};
    else if (summand.is_op(Op::mul) || summand.is_op(Op::square))
      by_sum.sum_of = SumOf::squares, by_sum.operands = {summand.operands[0]};
    else
      continue;
    by_sum.arity = by_sum.sum_of == SumOf::squares ? 1 : 2;
    by_sum.summed = true;
    found.within = true;
  }
}

ElementwiseStep::Reduction& Emitter::add_reduction(ElementwiseStep& step, std::uint32_t index) {
  const Node node = program_[index];
  const Shape* shape = program_[node.operands[0]].shape;
  ReducedSpace space = *reduced_space(shape->dims(), node.attribute->values());
  step.outer = space.outer;
  step.n = space.n;
  step.inner = space.inner;
  step.part = part_of(space);
  ElementwiseStep::Reduction reduction{};
  reduction.kernel = static_cast<Reduce>(row(node.op).kernel.member);
  reduction.dtype = node.dtype;
  reduction.out = location(index);
  if (step.parts() > 1) {
    const std::int64_t dims[] = {space.outer, step.parts(), space.inner};
    reduction.parts = temporary(Shape::of(dims), node.dtype);
  }
  return step.reductions.emplace_back(reduction);
}

}  // namespace lamina

// Emits the steps of standardized rows, and of their gradients.
#include <algorithm>
#include <bit>

#include "compile/emitter.h"

namespace lamina {

namespace {

// So many rows are summed down their columns one after the other: enough parts for threads, and no long chains.
std::int64_t rows_of_part(std::int64_t rows) {
  constexpr std::int64_t kParts = 16, kFewest = 8, kMost = 64;
  return std::clamp(rows / kParts, kFewest, kMost);
}

}  // namespace

void Emitter::emit_standardize(std::uint32_t index) {
  const Node node = program_[index];
  const Affine& affine = node.affine;
  if (node.shape->numel() == 0) return;
  StandardizeStep step{};
  step.back = node.family() == Family::kStandardizeInput;
  step.dtype = node.dtype;
  step.n = node.shape->dims().back();
  step.rows = node.shape->numel() / step.n;
  step.part = rows_of_part(step.rows);
  step.eps = std::bit_cast<double>((*node.attribute)[0]);
  if (step.back) step.gradient = contiguous(node.operands[0]);
  step.x = contiguous(node.operands[step.back ? 1 : 0]);
  step.out = location(index);
  step.has_scale = affine.scale != kNone;
  if (step.has_scale) step.scale = location(affine.scale);
  step.has_shift = affine.shift != kNone;
  if (step.has_shift) step.shift = location(affine.shift);
  step.sums_scale = affine.scale_sums != kNone;
  step.sums_shift = affine.shift_sums != kNone;
  const auto parts_of = [&](std::uint32_t sums) {
    return step.parts() == 1 ? location(sums) : temporary(Shape::of({step.parts(), step.n}), step.dtype);
  };
  if (step.sums_scale) step.scale_parts = parts_of(affine.scale_sums);
  if (step.sums_shift) step.shift_parts = parts_of(affine.shift_sums);
  add(step,
      note(row(node.op).name, " ", step.rows, "x", step.n, step.has_scale ? ", scaled" : "",
           step.has_shift ? " and shifted" : "", step.sums() ? ", with the gradients of the scale or shift" : ""),
      (step.back ? 3 : 2) * static_cast<double>(node.shape->numel()));
  const auto number = static_cast<std::uint32_t>(plan_.steps.size() - 1);
  program_[index].step = number;
  const auto add_up = [&](std::uint32_t sums, const Location& parts) {
    if (sums == kNone) return;
    program_[sums].step = number;
    if (step.parts() == 1) return;
    add(ReduceStep{Reduce::sum, step.dtype, 1, step.parts(), step.n, parts, location(sums)},
        note("sum of its parts 1x", step.parts(), "x", step.n), 0.2 * static_cast<double>(step.parts() * step.n));
  };
  add_up(affine.scale_sums, step.scale_parts);
  add_up(affine.shift_sums, step.shift_parts);
}

}  // namespace lamina

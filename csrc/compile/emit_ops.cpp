// Emits the steps of single, not elementwise, ops.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "compile/emitter.h"
#include "compile/iteration_space.h"
#include "support/check.h"

namespace lamina {

void Emitter::emit(std::uint32_t index) {
  const Node node = program_[index];
  Location out = location(index);
  auto n = node.shape->rank() ? node.shape->dims().back() : 1;
  auto rows = n ? node.shape->numel() / n : 0;
  auto work = static_cast<double>(node.shape->numel());
  switch (node.family()) {
    case Family::kCopy:
      copy(node.operands[0], node.shape, out);
      break;
    case Family::kView: {  // a reshape that strides cannot express: copied in the operand's order
      const Shape* from = program_[node.operands[0]].shape;
      copy(node.operands[0], from, out);
      break;
    }
    case Family::kReduce:
      emit_reduce(index);
      break;
    case Family::kRowwise: {
      Dims dims = program_[node.operands[0]].shape->dims();
      const std::int64_t axis = (*node.attribute)[0] + static_cast<std::int64_t>(dims.size());
      auto [outer, along, inner] = *reduced_space(dims, DimVector{axis});
      if (node.shape->numel() == 0) break;
      add(RowwiseStep{static_cast<Rowwise>(row(node.op).kernel.member), node.dtype, outer, along, inner,
                      contiguous(node.operands[0]), out},
          note(row(node.op).name, " ", outer, "x", along, "x", inner), static_cast<double>(outer * along * inner));
      break;
    }
    case Family::kStandardize:
    case Family::kStandardizeInput:
      emit_standardize(index);
      break;
    case Family::kScan: {
      if (node.shape->numel() == 0) break;
      const std::int64_t axis = (*node.attribute)[0] + node.shape->rank();
      auto [outer, along, inner] = *reduced_space(node.shape->dims(), DimVector{axis});
      Location in = contiguous(node.operands[0]);
      const DType dtype = program_[node.operands[0]].dtype;
      add(ScanStep{static_cast<Scan>(row(node.op).kernel.member), dtype, node.dtype, outer, along, inner, in, out},
          note(row(node.op).name, " ", outer, "x", along, "x", inner), work);
      break;
    }
    case Family::kArgsort: {
      if (rows == 0) break;
      Location in = contiguous(node.operands[0]);
      const Node source = program_[node.operands[0]];
      const std::int64_t length = source.shape->dims().back();
      add(ArgsortStep{source.dtype, (*node.attribute)[0] != 0, rows, length, n, in, out},
          note("argsort ", rows, "x", length), 10 * static_cast<double>(source.shape->numel()));
      break;
    }
    case Family::kSearch: {
      if (node.shape->numel() == 0) break;
      const Node sorted = program_[node.operands[0]];
      const std::int64_t length = sorted.shape->dims().back(), count = node.shape->numel();
      const std::int64_t of = sorted.shape->rank() == 1 ? 1 : rows;
      const Location in = contiguous(node.operands[0]), numbers = contiguous(node.operands[1]);
      add(SearchStep{sorted.dtype, (*node.attribute)[0] != 0, of, length, count / of, in, numbers, out},
          note("search ", count, " in ", length), 6 * work);
      break;
    }
    case Family::kSolveTriangle: {
      if (node.shape->numel() == 0) break;
      const std::int64_t m = n, of = (*node.shape)[node.shape->rank() - 2], matrices = rows / of;
      const Location a = contiguous(node.operands[0]), b = contiguous(node.operands[1]);
      const Attribute& flags = *node.attribute;
      add(SolveTriangleStep{node.dtype, flags[0] != 0, flags[1] != 0, flags[2] != 0, matrices, of, m, a, b, out},
          note("solve_triangle ", matrices, "x", of, "x", m), work * static_cast<double>(of) / 2);
      break;
    }
    case Family::kFourier:
      emit_fourier(index);
      break;
    case Family::kMatmul:
      emit_matmul(index);
      break;
    case Family::kConvolution:
      emit_convolution(index);
      break;
    case Family::kMaxPool:
      emit_max_pool(index);
      break;
    case Family::kWindowSums:
      emit_window_sums(index);
      break;
    case Family::kExtend:
      emit_extend(index);
      break;
    case Family::kSliceUpdate:
      emit_slice_update(index);
      break;
    case Family::kCat:
      emit_cat(index);
      break;
    case Family::kGather:
    case Family::kScatter:
    case Family::kScatterAdd:
      emit_index(index);
      break;
    case Family::kTakeRows:
    case Family::kPutRows:
      emit_rows(index);
      break;
    case Family::kWeighed:
      emit_weighed(index);
      break;
    case Family::kRandom: {
      auto kind = node.is_op(Op::uniform)  ? RandomStep::Kind::kUniform
                  : node.is_op(Op::normal) ? RandomStep::Kind::kNormal
                                           : RandomStep::Kind::kBits;
      if (node.shape->numel())
        add(RandomStep{kind, node.dtype, node.shape->numel(), location(node.operands[0]), out},
            note(row(node.op).name, " x ", node.shape->numel()), 3 * work);
      break;
    }
    default:
      throw std::logic_error(text("no step for ", row(node.op).name));
  }
}

void Emitter::emit_rows(std::uint32_t index) {
  const Node node = program_[index];
  std::int64_t width = node.shape->dims()[1];
  if (node.is_op(Op::take_rows)) {
    if (node.shape->numel() == 0) return;
    Location table = contiguous(node.operands[0]), number = contiguous(node.operands[1]);
    const std::int64_t places = (*program_[node.operands[0]].shape)[0];
    add(RowsStep{RowsStep::Kind::kTake, node.dtype, places, (*node.shape)[0], width, table, number, location(index)},
        note("take_rows ", (*node.shape)[0], "x", width), static_cast<double>(node.shape->numel()));
    return;
  }
  bool accumulate = (*node.attribute)[0] != 0;
  copy(node.operands[0], node.shape, location(index));
  std::int64_t count = (*program_[node.operands[1]].shape)[0];
  if (count * width == 0) return;
  Location number = contiguous(node.operands[1]), rows = contiguous(node.operands[2]);
  add(RowsStep{accumulate ? RowsStep::Kind::kAdd : RowsStep::Kind::kPut, node.dtype, (*node.shape)[0], count, width,
               location(index), number, rows},
      note("put_rows ", count, "x", width), static_cast<double>(count * width));
}

void Emitter::emit_fourier(std::uint32_t index) {
  const Node node = program_[index];
  if (node.shape->numel() == 0) return;
  const Node source = program_[node.operands[0]];
  const Dims dims = source.shape->dims();
  const Attribute& of = *node.attribute;
  const auto axis = static_cast<std::ptrdiff_t>(dims.size()) + of[0];
  FourierStep step{};
  step.kind = static_cast<Fourier>(row(node.op).kernel.member);
  step.dtype = step.kind == Fourier::half ? source.dtype : part_type(source.dtype);
  step.n = of[1], step.in_places = dims[static_cast<std::size_t>(axis)], step.out_places = of[2];
  step.outer = std::accumulate(dims.begin(), dims.begin() + axis, std::int64_t{1}, std::multiplies<>());
  step.inner = std::accumulate(dims.begin() + axis + 1, dims.end(), std::int64_t{1}, std::multiplies<>());
  const auto norm = static_cast<FourierNorm>(of[3]);
  const auto n = static_cast<double>(step.n);
  step.scale = norm == FourierNorm::none ? 1 : 1 / (norm == FourierNorm::root ? std::sqrt(n) : n);
  step.inverse = of[4] != 0, step.adjoint = of[5] != 0;
  step.in = contiguous(node.operands[0]), step.out = location(index);
  const double work = static_cast<double>(step.outer * step.inner) * n * (1 + std::log2(n));
  add(step, note(row(node.op).name, " ", step.outer, "x", step.n, "x", step.inner), 0.2 * work);
}

void Emitter::emit_weighed(std::uint32_t index) {
  const Node node = program_[index];
  if (node.shape->numel() == 0) return;
  const bool puts = node.is_op(Op::weighted_put), dots = node.is_op(Op::weighted_dots);
  const Shape &first = *program_[node.operands[0]].shape, &entries = *program_[node.operands[1]].shape;
  WeighedStep step{};
  step.kind = puts ? WeighedStep::Kind::kPut : dots ? WeighedStep::Kind::kDots : WeighedStep::Kind::kTake;
  step.dtype = node.dtype;
  step.batch = first[0], step.outer = first[1], step.inner = first[3];
  step.places = puts ? (*node.attribute)[0] : first[2];
  step.count = entries[1], step.taps = entries[2];
  (puts ? step.y : step.x) = contiguous(node.operands[0]);
  step.index = contiguous(node.operands[1]);
  (dots ? step.y : step.weights) = contiguous(node.operands[2]);
  (puts ? step.x : dots ? step.weights : step.y) = location(index);
  const std::int64_t work = step.batch * step.outer * step.inner * (step.count * step.taps + step.places);
  add(step, note(row(node.op).name, " ", step.count, "x", step.taps, " x ", step.batch * step.outer * step.inner),
      0.5 * static_cast<double>(work));
}

void Emitter::emit_index(std::uint32_t index) {
  const Node node = program_[index];
  bool gathers = node.is_op(Op::gather);
  auto axis = static_cast<std::size_t>((*node.attribute)[0]);
  const Shape* space = program_[node.operands[1]].shape;
  const Shape* table_shape = program_[node.operands[0]].shape;
  if (!gathers) copy(node.operands[0], node.shape, location(index));
  if (space->numel() == 0) return;
  IndexStep step{};
  step.kind = gathers                       ? IndexStep::Kind::kGather
              : node.is_op(Op::scatter_add) ? IndexStep::Kind::kScatterAdd
                                            : IndexStep::Kind::kScatter;
  step.dtype = node.dtype;
  step.dims.assign(space->dims().begin(), space->dims().end());
  step.strides = contiguous_strides(table_shape);
  if (space->rank() > 0) {
    step.axis_stride = step.strides[axis];
    step.strides[axis] = 0;
  }
  step.places = table_shape->numel();
  step.table = gathers ? contiguous(node.operands[0]) : location(index);
  step.index = contiguous(node.operands[1]);
  step.element_stride = 1;
  if (gathers) {
    step.elements = location(index);
  } else if (const Node& source = program_[node.operands[2]];
             is_uniform(source.shape->dims(), strides_of(source.shape, source.layout))) {
    step.element_stride = 0;
    step.elements = location(node.operands[2]);
  } else {
    step.elements = contiguous(node.operands[2]);
  }
  add(std::move(step), note(row(node.op).name, " x ", space->numel()), 3 * static_cast<double>(space->numel()));
}

void Emitter::emit_slice_update(std::uint32_t index) {
  const Node node = program_[index];
  copy(node.operands[0], node.shape, location(index));
  const Shape* space = program_[node.operands[1]].shape;
  DimVector strides = contiguous_strides(node.shape);
  std::int64_t start = 0;
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    start += (*node.attribute)[axis] * strides[axis];
    strides[axis] *= (*node.attribute)[strides.size() + axis];
  }
  if (node.shape->numel()) copy(node.operands[1], space, location(index, start), strides);
}

void Emitter::emit_cat(std::uint32_t index) {
  const Node node = program_[index];
  auto axis = static_cast<std::size_t>((*node.attribute)[0]);
  DimVector strides = contiguous_strides(node.shape);
  program_[index].of_parts = true;
  std::int64_t start = 0;
  for (std::uint32_t part : node.operands) {
    const Shape* space = program_[part].shape;
    if (program_[program_[part].owner].part_of != index)
      copy(part, space, location(index, start * strides[axis]), strides);
    start += space->dims()[axis];
  }
}

}  // namespace lamina

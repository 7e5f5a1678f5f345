// What steps read and write. Only kinds that come in stretches of short steps are looked at closely.
#include "compile/step_accesses.h"

#include <algorithm>

namespace lamina {

namespace {

using Kind = ElementwiseStep::Kind;

constexpr std::int64_t kProductWork = 1 << 14;  // multiply-adds of a product worth cutting: 0.3 µs
constexpr std::int64_t kElements = 1024;        // an elementwise step or a row-wise one below is not worth cutting
constexpr std::int64_t kElementRow = 16;        // elements: where no operand says how

std::int64_t bytes_of(DType dtype) { return static_cast<std::int64_t>(size_of(dtype)); }

class Collector {
 public:
  Collector(std::int64_t rows, std::vector<Access>& found) : rows_(rows), found_(found) { found.clear(); }

  void whole(const Location& location, std::int64_t bytes, bool writes) { add(location, 0, bytes, writes, 0); }
  void cut(const Location& location, std::int64_t bytes, bool writes) { add(location, 0, bytes, writes, rows_); }
  void strided(const Location& location, const DimVector& dims, const DimVector& strides, std::int64_t size,
               bool writes) {
    std::int64_t low = 0, high = 0;
    for (std::size_t i = 0; i < dims.size(); ++i)
      (strides[i] < 0 ? low : high) += std::max<std::int64_t>(dims[i] - 1, 0) * strides[i];
    add(location, low * size, (high + 1) * size, writes, 0);
  }
  // Of a space whose first axes make the rows: what a row touches may be a piece of its own, next to the one before.
  void strided_by_rows(const ElementwiseStep::Register& entry, const DimVector& dims, bool writes) {
    std::int64_t row = 0, own = 1, rows = 1;  // the distance of rows, and the extent of one
    std::size_t axis = 0;
    for (; axis < dims.size() && rows < rows_; ++axis) {
      bool even = axis == 0 || row == dims[axis] * entry.strides[axis];
      row = even ? entry.strides[axis] : 0;
      rows *= dims[axis];
    }
    bool forward = rows == rows_;
    for (; axis < dims.size(); ++axis) {
      own += (dims[axis] - 1) * entry.strides[axis];
      forward &= entry.strides[axis] >= 0;
    }
    if (!forward || row < own) return strided(entry.location, dims, entry.strides, entry.element_size, writes);
    cut(entry.location, rows_ * row * entry.element_size, writes);
  }

 private:
  void add(const Location& location, std::int64_t begin, std::int64_t end, bool writes, std::int64_t rows) {
    if (begin < end) found_.push_back({location.slot, location.offset + begin, location.offset + end, writes, rows});
  }

  std::int64_t rows_;
  std::vector<Access>& found_;
};

void collect(const MatmulStep& step, Collector& to) {
  std::int64_t size = bytes_of(step.dtype);
  bool cut_a = step.a_column == 1 && step.a_row == step.k;
  for (std::size_t e = 0; e < step.c_offsets.size(); ++e) {
    auto moved = [&](Location place, std::ptrdiff_t offset) {
      place.offset += offset * size;
      return place;
    };
    Location a = moved(step.a, step.a_offsets[e]);
    if (cut_a)
      to.cut(a, step.m * step.k * size, false);
    else
      to.strided(a, {step.m, step.k}, {step.a_row, step.a_column}, size, false);
    to.strided(moved(step.b, step.b_offsets[e]), {step.k, step.n}, {step.b_row, step.b_column}, size, false);
    const auto like_c = [&](Location place, bool writes) {
      to.cut(moved(place, step.c_offsets[e]), step.m * step.n * size, writes);
    };
    like_c(step.c, true);
    if (step.has_addend) like_c(step.addend, false);
    if (step.has_mask) like_c(step.mask, false);
    if (step.has_update) like_c(step.base, false), like_c(step.updated, true);
  }
  if (step.has_update) to.whole(step.rate, size, false);
  if (step.has_bias) to.whole(step.bias, step.n * size, false);
}

void collect(const ElementwiseStep& step, Collector& to) {
  std::vector<bool> written(step.registers.size());
  for (const auto& instruction : step.instructions) written[instruction.out] = true;
  for (std::size_t i = 0; i < step.registers.size(); ++i) {
    const auto& entry = step.registers[i];
    if (entry.kind == Kind::kContiguous) to.cut(entry.location, step.numel * entry.element_size, written[i]);
    if (entry.kind == Kind::kUniform) to.whole(entry.location, entry.element_size, false);
    if (entry.kind == Kind::kStrided || entry.kind == Kind::kScattered)
      to.strided_by_rows(entry, step.dims, written[i]);
  }
  for (const auto& reduction : step.reductions) {
    std::int64_t bytes = step.outer * step.inner * bytes_of(reduction.dtype);
    to.cut(reduction.out, bytes, true);
    if (step.parts() > 1) to.whole(reduction.parts, bytes * step.parts(), true);
  }
}

std::int64_t result_bytes(const ReduceStep& step) {
  if (step.kernel == Reduce::argmax || step.kernel == Reduce::argmin) return bytes_of(DType::kInt64);
  return bytes_of(step.kernel == Reduce::any || step.kernel == Reduce::all ? DType::kBool : step.dtype);
}

void collect(const ReduceStep& step, Collector& to) {
  to.cut(step.in, step.outer * step.n * step.inner * bytes_of(step.dtype), false);
  to.cut(step.out, step.outer * step.inner * result_bytes(step), true);
}

void collect(const RowwiseStep& step, Collector& to) {
  std::int64_t row = step.outer * step.inner * bytes_of(step.dtype);
  to.cut(step.in, row * step.n, false);
  to.cut(step.out, step.kernel == Rowwise::logsumexp ? row : row * step.n, true);
}

void collect(const StandardizeStep& step, Collector& to) {
  const std::int64_t row = step.n * bytes_of(step.dtype), bytes = step.rows * row;
  if (step.back) to.cut(step.gradient, bytes, false);
  to.cut(step.x, bytes, false);
  to.cut(step.out, bytes, true);
  if (step.has_scale) to.whole(step.scale, row, false);
  if (step.has_shift) to.whole(step.shift, row, false);
  if (step.sums_scale) to.cut(step.scale_parts, step.parts() * row, true);
  if (step.sums_shift) to.cut(step.shift_parts, step.parts() * row, true);
}

void collect(const CopyStep& step, Collector& to) {
  to.strided(step.from, step.dims, step.from_strides, step.element_size, false);
  to.strided(step.to, step.dims, step.to_strides, step.element_size, true);
}

}  // namespace

namespace {

// Rows joined to as many larger ones as are wanted, if that goes.
std::int64_t joined(std::int64_t rows, std::int64_t wanted) { return wanted > 0 && rows % wanted == 0 ? wanted : rows; }

}  // namespace

std::int64_t rows_of(const Step& step, std::int64_t wanted) {
  if (const auto* product = std::get_if<MatmulStep>(&step)) {
    bool one = product->c_offsets.size() == 1 && product->n > 1;
    bool worth = product->m * product->n * product->k >= kProductWork;
    if (!one || !worth || product->m < 2 * kLeastRows) return 0;
    return wanted > 0 && product->m % wanted == 0 && product->m / wanted >= kLeastRows ? wanted : product->m;
  }
  if (const auto* pass = std::get_if<ElementwiseStep>(&step)) {
    if (!pass->reductions.empty() || pass->numel < kElements) return 0;
    if (wanted > 0 && pass->numel % wanted == 0) return wanted;
    return pass->numel % kElementRow == 0 ? pass->numel / kElementRow : 0;
  }
  if (const auto* rowwise = std::get_if<RowwiseStep>(&step))
    return rowwise->inner == 1 && rowwise->outer * rowwise->n >= kElements ? joined(rowwise->outer, wanted) : 0;
  if (const auto* standardize = std::get_if<StandardizeStep>(&step)) {
    if (standardize->rows * standardize->n < kElements) return 0;
    if (!standardize->sums()) return joined(standardize->rows, wanted);
    return standardize->rows % standardize->part == 0 ? standardize->parts() : 0;
  }
  return 0;
}

bool has_rows(const Step& step, std::int64_t rows) {
  if (const auto* pass = std::get_if<ElementwiseStep>(&step)) {
    if (pass->reductions.empty()) return pass->numel % rows == 0;
    return pass->outer % rows == 0 && pass->inner == 1 && pass->n <= kWholeRow;
  }
  if (const auto* reduce = std::get_if<ReduceStep>(&step))
    return reduce->outer % rows == 0 && reduce->inner == 1 && reduce->n <= kWholeRow;
  if (const auto* rowwise = std::get_if<RowwiseStep>(&step))
    return rowwise->outer % rows == 0 && rowwise->inner == 1 && rowwise->n <= kWholeRow;
  if (const auto* standardize = std::get_if<StandardizeStep>(&step))
    return standardize->rows % rows == 0 && standardize->n <= kWholeRow && !standardize->sums();
  return false;
}

bool sums_over_rows(const Step& step) {
  if (const auto* product = std::get_if<MatmulStep>(&step))
    return product->c_offsets.size() == 1 && product->n > 1 && product->a_row == 1 && product->a_column != 1 &&
           product->k >= 2 * kLeastRows;
  const auto* reduce = std::get_if<ReduceStep>(&step);
  return reduce && reduce->outer == 1 && reduce->inner > 1 && reduce->n > 1;
}

bool sums_or_follows(const Step& step) {
  const auto* pass = std::get_if<ElementwiseStep>(&step);
  return pass ? pass->follows_sums : sums_over_rows(step);
}

bool find_accesses(const Step& step, std::int64_t rows, std::vector<Access>& accesses) {
  Collector to(rows, accesses);
  return std::visit(
      [&to](const auto& one) {
        if constexpr (requires { collect(one, to); }) {
          collect(one, to);
          return true;
        } else {
          return false;
        }
      },
      step);
}

}  // namespace lamina

// Sums of windows over planes, and of the windows that see an element: rows first, then along them.
#include <cstring>

#include "runtime/steps.h"
#include "runtime/thread_pool.h"
#include "support/small_vector.h"

namespace lamina::runtime {

namespace {

// What is summed to an element of the result along one axis: operand's elements begin to end.
struct Range {
  std::int64_t begin, end;
};
Range range_of(const WindowSumsStep& step, int axis, std::int64_t at) {
  const std::int64_t size = step.in_size[axis], window = step.window[axis], stride = step.stride[axis];
  if (!step.back) {
    const std::int64_t first = at * stride - step.padding[axis];
    return {std::clamp<std::int64_t>(first, 0, size), std::clamp<std::int64_t>(first + window, 0, size)};
  }
  const std::int64_t place = at + step.padding[axis];
  const std::int64_t before = place < window ? 0 : (place - window) / stride + 1;
  return {std::min(before, size), std::min(place / stride + 1, size)};
}

// Positions that a kernel's call goes through, windows or, back, steps of the windows, if it is not for several rows.
constexpr std::int64_t kPositions = 1024;

// Rows of sums, with zeros on both sides so that along them no window needs a test. They lie one behind the other, at
// distances that are whole strides: the kernels see one line of windows, of which those across two rows are dropped.
struct Line {
  std::int64_t from, begin, end;  // the operand's columns that lie at the beginning, and those of them that exist
  std::int64_t pitch;
  std::int64_t lead;  // elements before the first position
  std::int64_t out_pitch;
  std::int64_t column, columns, skip;  // of the result; `skip` elements of the line before them

  Line(const WindowSumsStep& step, std::int64_t first, std::int64_t last) {
    const std::int64_t window = step.window[1], stride = step.stride[1], padding = step.padding[1];
    const std::int64_t positions = last - first;
    lead = step.back ? (window - 1) / stride : 0;
    if (step.back) {
      from = first - lead;
      pitch = lead + positions;
      out_pitch = pitch * stride;
      column = std::max<std::int64_t>(first * stride - padding, 0);
      columns = std::min(last * stride - padding, step.out_size[1]) - column;
      skip = column + padding - first * stride;
    } else {
      from = first * stride - padding;
      out_pitch = positions + (window - 1) / stride;
      pitch = out_pitch * stride;
      column = first, columns = positions, skip = 0;
    }
    begin = std::max<std::int64_t>(from, 0);
    end = std::max(begin, std::min(from + pitch, step.in_size[1]));
  }
};

template <typename T>
class WindowSums {
 public:
  WindowSums(const WindowSumsStep& step, const T* in, T* out)
      : step_(step),
        in_(in),
        out_(out),
        positions_(step.back ? (step.out_size[1] - 1 + step.padding[1]) / step.stride[1] + 1 : step.out_size[1]),
        parts_((positions_ + kPositions - 1) / kPositions),
        sum_rows_(kernels::table().sum_rows[index_of(step.dtype)]),
        along_(step.back ? kernels::table().spread_windows[index_of(step.dtype)]
                         : kernels::table().sum_windows[index_of(step.dtype)]) {}

  // Parts of rows.
  std::int64_t units() const { return step_.planes * step_.out_size[0] * parts_; }

  void run(std::int64_t begin, std::int64_t end) const {
    SmallVector<T, 4096> sums, found;
    if (parts_ == 1) {
      const Line line(step_, 0, positions_);
      const std::int64_t together = std::max<std::int64_t>(1, kPositions / std::max(line.pitch, line.out_pitch));
      for (std::int64_t row = begin; row < end; row += together)
        run(line, row, std::min(together, end - row), sums, found);
    } else {
      for (std::int64_t unit = begin; unit < end; ++unit) {
        const std::int64_t first = unit % parts_ * kPositions;
        const Line line(step_, first, std::min(first + kPositions, positions_));
        if (line.columns > 0) run(line, unit / parts_, 1, sums, found);
      }
    }
  }

 private:
  using Memory = SmallVector<T, 4096>;

  void run(const Line& line, std::int64_t row, std::int64_t rows, Memory& sums, Memory& found) const {
    // The last row's windows reach beyond it.
    const std::int64_t size = rows * line.pitch + step_.window[1];
    if (static_cast<std::int64_t>(sums.size()) < size) sums.resize(static_cast<std::size_t>(size));
    const std::int64_t before = line.begin - line.from, width = line.end - line.begin;
    kernels::RowSums of_row[kPositions];
    std::int64_t number = row % step_.out_size[0];
    const T* plane = in_ + row / step_.out_size[0] * step_.in_size[0] * step_.in_size[1];
    for (std::int64_t r = 0; r < rows; ++r) {
      const Range range = range_of(step_, 0, number);
      of_row[r] = {plane + range.begin * step_.in_size[1] + line.begin,
                   static_cast<std::size_t>(std::max<std::int64_t>(range.end - range.begin, 0))};
      T* const to = sums.data() + r * line.pitch;
      std::fill(to, to + before, T(0));
      std::fill(to + before + width, to + line.pitch, T(0));
      if (++number == step_.out_size[0]) number = 0, plane += step_.in_size[0] * step_.in_size[1];
    }
    sum_rows_(sums.data() + before, line.pitch, of_row, static_cast<std::size_t>(rows), step_.in_size[1],
              static_cast<std::size_t>(width));

    T* const out = out_ + row * step_.out_size[1] + line.column;
    const std::int64_t positions = rows * (step_.back ? line.pitch : line.out_pitch) - line.lead;
    const auto along = [&](T* to) {
      along_(to, sums.data() + line.lead, static_cast<std::size_t>(positions),
             static_cast<std::size_t>(step_.window[1]), static_cast<std::size_t>(step_.stride[1]));
    };
    if (line.lead == 0 && line.columns == line.out_pitch && (rows == 1 || line.columns == step_.out_size[1]))
      return along(out);
    if (static_cast<std::int64_t>(found.size()) < rows * line.out_pitch)
      found.resize(static_cast<std::size_t>(rows * line.out_pitch));
    along(found.data());
    for (std::int64_t r = 0; r < rows; ++r)
      std::memcpy(out + r * step_.out_size[1], found.data() + r * line.out_pitch + line.skip,
                  static_cast<std::size_t>(line.columns) * sizeof(T));
  }

  const WindowSumsStep& step_;
  const T* in_;
  T* out_;
  std::int64_t positions_, parts_;
  kernels::SumRowsFn sum_rows_;
  kernels::SumWindowsFn along_;
};

template <typename T>
void run_as(const WindowSumsStep& step, Slots slots) {
  const WindowSums<T> sums(step, reinterpret_cast<const T*>(at(slots, step.in)),
                           reinterpret_cast<T*>(at(slots, step.out)));
  const std::int64_t units = sums.units();
  const std::int64_t moved = step.planes * (step.in_size[0] * step.in_size[1] + step.out_size[0] * step.out_size[1]);
  parallel_for(static_cast<std::size_t>(units), grain_for(units, moved / units),
               [&](std::size_t begin, std::size_t end) {
                 sums.run(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
               });
}

}  // namespace

void run(const WindowSumsStep& step, Slots slots) {
  step.dtype == DType::kFloat64 ? run_as<double>(step, slots) : run_as<float>(step, slots);
}

}  // namespace lamina::runtime

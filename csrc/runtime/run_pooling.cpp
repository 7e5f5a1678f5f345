// Largest elements of windows over planes.
#include <limits>
#include <type_traits>

#include "runtime/steps.h"
#include "runtime/thread_pool.h"
#include "support/small_vector.h"

namespace lamina::runtime {

namespace {

// What windows see along one axis.
struct PooledAxis {
  // The windows whose tap is in the plane.
  struct Windows {
    std::int64_t begin, end;
  };
  SmallVector<Windows, 8> of_tap;
  // Each window's first element in the plane. One that has none gets the plane's last.
  SmallVector<std::int64_t, 16> first;

  PooledAxis(const MaxPoolStep& step, int axis) {
    const std::int64_t size = step.x_size[axis], windows = step.y_size[axis], stride = step.stride[axis];
    first.resize(static_cast<std::size_t>(windows), size - 1);
    of_tap.resize(static_cast<std::size_t>(step.window[axis]));
    for (std::size_t tap = of_tap.size(); tap-- > 0;) {
      const std::int64_t at = static_cast<std::int64_t>(tap) * step.dilation[axis] - step.padding[axis];
      const auto before = [&](std::int64_t element) {  // windows whose tap is before it
        return element <= at ? 0 : std::min(windows, (element - at + stride - 1) / stride);
      };
      of_tap[tap] = {before(0), before(size)};
      for (std::int64_t i = of_tap[tap].begin; i < of_tap[tap].end; ++i)
        first[static_cast<std::size_t>(i)] = i * stride + at;
    }
  }
};

// Windows taken together, of several rows where these are short, and whole vectors of them.
constexpr std::int64_t kTogether = 256, kVector = 16;

// The first of the largest elements, or the last NaN, as PyTorch has it, for rows of windows counted through all
// planes.
template <typename T>
class Pooling {
 public:
  Pooling(const MaxPoolStep& step, const T* x, std::int64_t* positions, kernels::KeepLargerFn keep_larger)
      : step_(step), x_(x), positions_(positions), keep_larger_(keep_larger) {
    for (std::int64_t upper = 0; upper < step.window[0]; ++upper)
      for (std::int64_t left = 0; left < step.window[1]; ++left)
        distance_.push_back(upper * step.dilation[0] * step.x_size[1] + left * step.dilation[1]);
  }

  void find(std::int64_t begin, std::int64_t end) const {
    const std::int64_t windows = step_.y_size[1], columns = std::min(windows, kTogether), rows = kTogether / columns;
    for (std::int64_t row = begin; row < end; row += rows)
      for (std::int64_t column = 0; column < windows; column += columns)
        find(Block(*this, row, std::min(rows, end - row), column, std::min(columns, windows - column)));
  }

  // Bytes are compared as integers, in whose size windows' taps have room.
  using Compared = std::conditional_t<sizeof(T) == 1, std::int32_t, T>;

 private:
  struct Row {
    std::int64_t number;  // in its plane
    const T* plane;
    std::int64_t origin;  // of its first window's first tap in the plane
    std::int64_t* positions;
  };
  struct Block {
    std::int64_t rows, column, columns;
    Row row[kTogether];

    Block(const Pooling& pooling, std::int64_t first_row, std::int64_t of_rows, std::int64_t of_column,
          std::int64_t of_columns)
        : rows(of_rows), column(of_column), columns(of_columns) {
      const MaxPoolStep& step = pooling.step_;
      std::int64_t number = first_row % step.y_size[0], plane = first_row / step.y_size[0];
      for (std::int64_t r = 0; r < rows; ++r) {
        const std::int64_t top = number * step.stride[0] - step.padding[0];
        row[r] = {number, pooling.x_ + plane * step.x_size[0] * step.x_size[1],
                  top * step.x_size[1] + column * step.stride[1] - step.padding[1],
                  pooling.positions_ + (first_row + r) * step.y_size[1] + column};
        if (++number == step.y_size[0]) number = 0, ++plane;
      }
    }
  };
  using Tap = std::conditional_t<sizeof(Compared) == 4, std::int32_t, std::int64_t>;
  using Limits = std::numeric_limits<Compared>;
  static constexpr Compared kLowest = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();

  void find(const Block& block) const {
    Compared largest[kTogether], values[kTogether];
    Tap taps[kTogether];
    const std::int64_t count = (block.rows * block.columns + kVector - 1) / kVector * kVector;
    std::fill_n(largest, count, kLowest);
    std::fill_n(values, count, kLowest);
    std::fill_n(taps, count, Tap(-1));
    for (std::size_t tap = 0; tap < distance_.size(); ++tap) {
      read(block, tap, values);
      keep_larger_(largest, taps, values, static_cast<std::size_t>(count), static_cast<std::int64_t>(tap));
    }
    const std::int64_t* const left = horizontal_.first.data() + block.column;
    const Tap* found = taps;
    for (std::int64_t r = 0; r < block.rows; ++r) {
      const Row& row = block.row[r];
      const std::int64_t top = vertical_.first[static_cast<std::size_t>(row.number)] * step_.x_size[1];
      for (std::int64_t i = 0; i < block.columns; ++i, ++found)
        row.positions[i] =
            *found < 0 ? top + left[i] : row.origin + i * step_.stride[1] + distance_[static_cast<std::size_t>(*found)];
    }
  }

  // What all windows have at one tap.
  void read(const Block& block, std::size_t tap, Compared* values) const {
    const PooledAxis::Windows vertical = vertical_.of_tap[tap / horizontal_.of_tap.size()];
    const PooledAxis::Windows horizontal = horizontal_.of_tap[tap % horizontal_.of_tap.size()];
    const std::int64_t begin = std::clamp<std::int64_t>(horizontal.begin - block.column, 0, block.columns);
    const std::int64_t end = std::clamp<std::int64_t>(horizontal.end - block.column, begin, block.columns);
    const std::int64_t stride = step_.stride[1];
    for (std::int64_t r = 0; r < block.rows; ++r, values += block.columns) {
      const Row& row = block.row[r];
      if (row.number < vertical.begin || row.number >= vertical.end || begin == end) {
        std::fill_n(values, block.columns, kLowest);
        continue;
      }
      const T* const from = row.plane + (row.origin + distance_[tap]);
      for (std::int64_t i = 0; i < begin; ++i) values[i] = kLowest;
      if (stride == 1) {
        std::copy(from + begin, from + end, values + begin);
      } else {
        for (std::int64_t i = begin; i < end; ++i) values[i] = from[i * stride];
      }
      for (std::int64_t i = end; i < block.columns; ++i) values[i] = kLowest;
    }
  }

  const MaxPoolStep& step_;
  const T* x_;
  std::int64_t* positions_;
  kernels::KeepLargerFn keep_larger_;
  PooledAxis vertical_{step_, 0}, horizontal_{step_, 1};
  SmallVector<std::int64_t, 16> distance_;  // of each tap from the first
};

}  // namespace

void run(const MaxPoolStep& step, Slots slots) {
  const std::byte* x = at(slots, step.x);
  auto* positions = reinterpret_cast<std::int64_t*>(at(slots, step.positions));
  const std::int64_t rows = step.planes * step.y_size[0];
  const DType compared = size_of(step.dtype) == 1 ? DType::kInt32 : step.dtype;
  const auto find = [&](auto zero) {
    using T = decltype(zero);
    const Pooling<T> pooling(step, reinterpret_cast<const T*>(x), positions,
                             kernels::table().keep_larger[index_of(compared)]);
    parallel_for(static_cast<std::size_t>(rows), grain_for(rows, step.y_size[1] * step.window[0] * step.window[1]),
                 [&](std::size_t begin, std::size_t end) {
                   pooling.find(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
                 });
  };
  switch (step.dtype) {
    case DType::kBool:
    case DType::kUInt8:
      return find(std::uint8_t{});
    case DType::kInt32:
      return find(std::int32_t{});
    case DType::kInt64:
      return find(std::int64_t{});
    case DType::kFloat32:
      return find(float{});
    case DType::kFloat64:
      return find(double{});
    default:  // narrow types come as their wide ones
      return;
  }
}

}  // namespace lamina::runtime

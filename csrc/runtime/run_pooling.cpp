// Largest elements of windows over planes.
#include <cmath>

#include "runtime/steps.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

// Rows or columns of a window that lie in the plane: from `first` on, `dilation` apart.
struct Inside {
  std::int64_t first, end;
};
Inside inside(std::int64_t position, const MaxPoolStep& step, int axis) {
  const std::int64_t dilation = step.dilation[axis];
  std::int64_t first = position * step.stride[axis] - step.padding[axis];
  const std::int64_t end = std::min(step.x_size[axis], first + (step.window[axis] - 1) * dilation + 1);
  if (first < 0) first += (-first + dilation - 1) / dilation * dilation;
  return {std::min(first, step.x_size[axis] - 1), end};
}

// The first of the largest elements, or the last NaN, as PyTorch has it.
template <typename T>
void find_positions(const MaxPoolStep& step, const T* plane, std::int64_t* positions) {
  for (std::int64_t row = 0; row < step.y_size[0]; ++row) {
    const Inside rows = inside(row, step, 0);
    for (std::int64_t column = 0; column < step.y_size[1]; ++column) {
      const Inside columns = inside(column, step, 1);
      std::int64_t best = rows.first * step.x_size[1] + columns.first;
      T largest = plane[best];
      for (std::int64_t i = rows.first; i < rows.end; i += step.dilation[0]) {
        for (std::int64_t j = columns.first; j < columns.end; j += step.dilation[1]) {
          const T value = plane[i * step.x_size[1] + j];
          if (value > largest || value != value) best = i * step.x_size[1] + j, largest = value;
        }
      }
      *positions++ = best;
    }
  }
}

}  // namespace

void run(const MaxPoolStep& step, Slots slots) {
  const std::byte* x = at(slots, step.x);
  auto* positions = reinterpret_cast<std::int64_t*>(at(slots, step.positions));
  const std::int64_t read = step.x_size[0] * step.x_size[1], written = step.y_size[0] * step.y_size[1];
  const auto find = [&](auto zero) {
    using T = decltype(zero);
    parallel_for(static_cast<std::size_t>(step.planes),
                 grain_for(step.planes, 4 * written * step.window[0] * step.window[1]),
                 [&](std::size_t begin, std::size_t end) {
                   for (auto plane = static_cast<std::int64_t>(begin); plane < static_cast<std::int64_t>(end); ++plane)
                     find_positions(step, reinterpret_cast<const T*>(x) + plane * read, positions + plane * written);
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

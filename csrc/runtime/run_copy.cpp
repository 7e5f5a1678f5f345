// The copy step.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "runtime/ceil_divide.h"
#include "runtime/cursor.h"
#include "runtime/steps.h"
#include "runtime/strided.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

// rows × width elements, with the distances of rows and of elements on both sides: for rows too short to be worth a
// call each, and where neither side is contiguous.
struct Block {
  std::int64_t rows, width, in_row, in_step, out_row, out_step;
};

// Each number kTimes times.
template <typename T, std::int64_t kTimes>
void repeat_each(T* out, const T* in, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < kTimes; ++j) out[i * kTimes + j] = in[i];
}

template <typename T>
void copy_block(T* out, const T* in, const Block& block) {
  const bool repeats = block.in_step == 0 && block.in_row == 1 && block.out_step == 1 && block.out_row == block.width;
  if (repeats && block.width == 2) return repeat_each<T, 2>(out, in, block.rows);
  if (repeats && block.width == 3) return repeat_each<T, 3>(out, in, block.rows);
  if (repeats && block.width == 4) return repeat_each<T, 4>(out, in, block.rows);
  constexpr std::int64_t kTogether = 64;  // rows, whose lines stay in the cache from one column to the next
  const bool across = block.width >= block.rows;
  for (std::int64_t row = 0; row < block.rows; row += across ? 1 : kTogether) {
    T* const to = out + row * block.out_row;
    const T* const from = in + row * block.in_row;
    const std::int64_t rows = std::min(kTogether, block.rows - row);
    if (across)
      for (std::int64_t j = 0; j < block.width; ++j) to[j * block.out_step] = from[j * block.in_step];
    else
      for (std::int64_t j = 0; j < block.width; ++j)
        for (std::int64_t i = 0; i < rows; ++i)
          to[i * block.out_row + j * block.out_step] = from[i * block.in_row + j * block.in_step];
  }
}

void copy_block(std::byte* out, const std::byte* in, std::size_t size, const Block& block) {
  struct Pair {
    std::uint64_t words[2];
  };
  const auto as = [&]<typename T>(T) { copy_block(reinterpret_cast<T*>(out), reinterpret_cast<const T*>(in), block); };
  switch (size) {
    case 1:
      return as(std::uint8_t{});
    case 2:
      return as(std::uint16_t{});
    case 4:
      return as(std::uint32_t{});
    case 8:
      return as(std::uint64_t{});
    default:
      return as(Pair{});
  }
}

// One line, contiguous on both sides. The C library's copies are the quicker ones where no cache holds both sides, but
// depend on how these lie within their pages (kernels/movement.inc).
void copy_line(const CopyStep& step, std::byte* to, const std::byte* from) {
  constexpr std::int64_t kFarBytes = std::int64_t{32} << 20;
  const std::int64_t count = step.dims[0], size = step.element_size;
  parallel_for(static_cast<std::size_t>(count), grain_for(count, 1), [&](std::size_t begin, std::size_t end) {
    const auto first = static_cast<std::int64_t>(begin), n = static_cast<std::int64_t>(end) - first;
    if (count * size < kFarBytes)
      load_row(to + first * size, from + first * size, step.element_size, n, 1);
    else
      std::memcpy(to + first * size, from + first * size, static_cast<std::size_t>(n * size));
  });
}

// One line, in strides on a side or both.
void copy_strided_line(const CopyStep& step, std::byte* to, const std::byte* from) {
  const std::int64_t count = step.dims[0], size = step.element_size;
  const std::int64_t in_step = step.from_strides[0], out_step = step.to_strides[0];
  parallel_for(static_cast<std::size_t>(count), grain_for(count, 2), [&](std::size_t begin, std::size_t end) {
    const auto first = static_cast<std::int64_t>(begin), n = static_cast<std::int64_t>(end) - first;
    std::byte* out = to + first * out_step * size;
    const std::byte* in = from + first * in_step * size;
    if (out_step == 1)
      load_row(out, in, step.element_size, n, in_step);
    else
      copy_block(out, in, step.element_size, {1, n, 0, in_step, 0, out_step});
  });
}

// Are the two innermost axes swapped?
bool turns_matrices(const CopyStep& step) {
  const std::size_t last = step.dims.size() - 1;
  return step.from_strides[last - 1] == 1 && step.from_strides[last] > 0 && step.to_strides[last] == 1 &&
         step.to_strides[last - 1] == step.dims[last];
}

// Transposed copies, in strips of whole cache lines of the operand's rows.
void turn_matrices(const CopyStep& step, std::byte* to, const std::byte* from) {
  const std::size_t last = step.dims.size() - 1;
  const std::int64_t width = step.dims[last], columns = step.dims[last - 1], size = step.element_size;
  const auto strip = std::max<std::int64_t>(static_cast<std::int64_t>(grain_for(columns, width)), 64);
  const std::int64_t strips = ceil_divide(columns, strip);
  DimVector outer(step.dims.begin(), step.dims.end() - 1);
  outer.back() = 1;
  std::int64_t units = strips;
  for (std::int64_t count : outer) units *= count;
  const kernels::TransposeFn transpose = kernels::table().transpose[step.element_size];
  const std::size_t grain = grain_for(units, std::min(strip, columns) * width);
  parallel_for(static_cast<std::size_t>(units), grain, [&](std::size_t begin, std::size_t end) {
    const auto first = static_cast<std::int64_t>(begin), stop = static_cast<std::int64_t>(end);
    Cursor cursor;
    cursor.seek(first / strips, outer, step.from_strides, &step.to_strides);
    for (std::int64_t unit = first; unit < stop; ++unit) {
      const std::int64_t column = unit % strips * strip;
      transpose(to + (cursor.to + column * width) * size, from + (cursor.from + column) * size,
                static_cast<std::size_t>(width), static_cast<std::size_t>(std::min(strip, columns - column)),
                static_cast<std::size_t>(step.from_strides[last]));
      if (column + strip >= columns) cursor.advance(outer, step.from_strides, &step.to_strides);
    }
  });
}

void copy_rows(const CopyStep& step, std::byte* to, const std::byte* from) {
  constexpr std::int64_t kShortest = 16;  // elements of a row worth a call
  const std::size_t last = step.dims.size() - 1;
  const std::int64_t width = step.dims[last], size = step.element_size;
  const std::int64_t in_step = step.from_strides[last], out_step = step.to_strides[last];
  const bool in_blocks = width < kShortest || (in_step != 1 && out_step != 1);
  const std::int64_t in_row = step.from_strides[last - 1], out_row = step.to_strides[last - 1];
  const kernels::StridedFn store_strided = kernels::table().store_strided[step.element_size];
  std::int64_t rows = 1;
  for (std::size_t axis = 0; axis < last; ++axis) rows *= step.dims[axis];
  parallel_for(static_cast<std::size_t>(rows), grain_for(rows, width), [&](std::size_t begin, std::size_t end) {
    Cursor cursor;
    cursor.seek(static_cast<std::int64_t>(begin), step.dims, step.from_strides, &step.to_strides);
    for (std::size_t row = begin; row < end; ++row) {
      const std::byte* in = from + cursor.from * size;
      std::byte* out = to + cursor.to * size;
      if (in_blocks) {  // rows up to the end of the axis above, without the cursor
        std::int64_t& coordinate = cursor.coordinates[last - 1];
        const std::int64_t together = std::min(static_cast<std::int64_t>(end - row), step.dims[last - 1] - coordinate);
        copy_block(out, in, step.element_size, {together, width, in_row, in_step, out_row, out_step});
        coordinate += together - 1;
        cursor.from += (together - 1) * in_row;
        cursor.to += (together - 1) * out_row;
        row += static_cast<std::size_t>(together - 1);
      } else if (out_step == 1) {
        load_row(out, in, step.element_size, width, in_step);
      } else {
        store_strided(out, in, static_cast<std::size_t>(width), out_step);
      }
      cursor.advance(step.dims, step.from_strides, &step.to_strides);
    }
  });
}

}  // namespace

void run(const CopyStep& step, Slots slots) {
  const std::byte* from = at(slots, step.from);
  std::byte* to = at(slots, step.to);
  if (step.dims.empty()) {
    std::memcpy(to, from, step.element_size);
  } else if (step.dims.size() > 1) {
    (turns_matrices(step) ? turn_matrices : copy_rows)(step, to, from);
  } else {
    const bool contiguous = step.from_strides[0] == 1 && step.to_strides[0] == 1;
    (contiguous ? copy_line : copy_strided_line)(step, to, from);
  }
}

}  // namespace lamina::runtime

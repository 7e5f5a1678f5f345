// Strided reads, and the copy step.
#include "runtime/strided.h"

#include <cstdint>
#include <cstring>

#include "runtime/ceil_divide.h"
#include "runtime/steps.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

constexpr std::size_t kMostDims = 64;
constexpr std::int64_t kShortRow = 32;  // elements

// An odometer over all axes but the last.
struct Cursor {
  std::int64_t coordinates[kMostDims];
  std::int64_t from = 0, to = 0;

  void seek(std::int64_t row, const DimVector& dims, const DimVector& from_strides, const DimVector* to_strides) {
    from = to = 0;
    for (std::size_t axis = dims.size() - 1; axis-- > 0;) {
      coordinates[axis] = row % dims[axis];
      row /= dims[axis];
      from += coordinates[axis] * from_strides[axis];
      if (to_strides) to += coordinates[axis] * (*to_strides)[axis];
    }
  }

  void advance(const DimVector& dims, const DimVector& from_strides, const DimVector* to_strides) {
    for (std::size_t axis = dims.size() - 1; axis-- > 0;) {
      from += from_strides[axis];
      if (to_strides) to += (*to_strides)[axis];
      if (++coordinates[axis] < dims[axis]) return;
      from -= from_strides[axis] * dims[axis];
      if (to_strides) to -= (*to_strides)[axis] * dims[axis];
      coordinates[axis] = 0;
    }
  }
};

// Bytes of a row up to which no kernel need be called to copy it.
constexpr std::int64_t kCopiedHere = 1024;

void load_row(std::byte* out, const std::byte* in, std::size_t size, std::int64_t n, std::int64_t stride) {
  if (stride == 1 && n * static_cast<std::int64_t>(size) <= kCopiedHere)
    std::memcpy(out, in, static_cast<std::size_t>(n) * size);
  else
    kernels::table().load_strided[size](out, in, static_cast<std::size_t>(n), stride);
}

void store_row(std::byte* out, const std::byte* in, std::size_t size, std::int64_t n, std::int64_t stride) {
  if (stride == 1 && n * static_cast<std::int64_t>(size) <= kCopiedHere)
    std::memcpy(out, in, static_cast<std::size_t>(n) * size);
  else
    kernels::table().store_strided[size](out, in, static_cast<std::size_t>(n), stride);
}

// A number n times, n too few for a call to pay: in whole blocks. What they store too much, within `room` elements, the
// next row overwrites.
inline void repeat(std::byte* out, const std::byte* number, std::int64_t n, std::int64_t room) {
  using Block [[gnu::vector_size(16)]] = std::uint32_t;  // an array would take the way over the stack
  std::uint32_t x;
  std::memcpy(&x, number, sizeof x);
  const Block block = Block{} + x;
  std::int64_t i = 0;
  for (; i < n && i + 4 <= room; i += 4) std::memcpy(out + i * 4, &block, sizeof block);
  for (; i < n; ++i) std::memcpy(out + i * 4, &x, sizeof x);
}

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

// Does every row of the space read what the first one reads?
bool rows_repeat(const DimVector& dims, const DimVector& strides) {
  for (std::size_t axis = 0; axis + 1 < dims.size(); ++axis)
    if (strides[axis] != 0 && dims[axis] != 1) return false;
  return true;
}

}  // namespace

void fill(std::byte* out, const std::byte* element, std::size_t element_size, std::int64_t n) {
  kernels::table().load_strided[element_size](out, element, static_cast<std::size_t>(n), 0);
}

std::int64_t row_offset(const DimVector& dims, const DimVector& strides, std::int64_t row) {
  std::int64_t offset = 0;
  for (std::size_t axis = dims.size() - 1; axis-- > 0; row /= dims[axis]) offset += row % dims[axis] * strides[axis];
  return offset;
}

void gather_range(std::byte* out, const std::byte* base, const DimVector& dims, const DimVector& strides,
                  std::size_t element_size, std::int64_t start, std::int64_t count) {
  auto size = static_cast<std::int64_t>(element_size);
  std::int64_t width = dims.back(), stride = strides.back();
  if (count > width && stride != 0 && rows_repeat(dims, strides)) {  // copies of copies: fewer and longer ones
    gather_range(out, base, dims, strides, element_size, start, width);
    for (std::int64_t done = width; done < count; done += std::min(done, count - done))
      std::memcpy(out + done * size, out, static_cast<std::size_t>(std::min(done, count - done) * size));
    return;
  }
  bool short_repeats = stride == 0 && size == 4 && width <= kShortRow;
  const std::size_t above = dims.size() - 2;  // the axis next to the last, if there is one
  Cursor cursor;
  cursor.seek(start / width, dims, strides, nullptr);
  for (std::int64_t column = start % width; count > 0; column = 0) {
    std::int64_t run = std::min(width - column, count);
    const std::byte* in = base + (cursor.from + column * stride) * size;
    if (short_repeats && run == width && dims.size() > 1) {  // rows up to the end of the axis above, without the cursor
      const std::int64_t rows = std::min(count / width, dims[above] - cursor.coordinates[above]);
      for (std::int64_t row = 0; row < rows; ++row)
        repeat(out + row * width * size, in + row * strides[above] * size, width, count - row * width);
      cursor.coordinates[above] += rows - 1;
      cursor.from += (rows - 1) * strides[above];
      run = rows * width;
    } else if (short_repeats) {
      repeat(out, in, run, count);
    } else {
      load_row(out, in, element_size, run, stride);
    }
    out += run * size;
    count -= run;
    if (count > 0) cursor.advance(dims, strides, nullptr);
  }
}

void scatter_range(std::byte* base, const std::byte* in, const DimVector& dims, const DimVector& strides,
                   std::size_t element_size, std::int64_t start, std::int64_t count) {
  auto size = static_cast<std::int64_t>(element_size);
  std::int64_t width = dims.back(), stride = strides.back();
  Cursor cursor;
  cursor.seek(start / width, dims, strides, nullptr);
  for (std::int64_t column = start % width; count > 0; column = 0) {
    std::int64_t run = std::min(width - column, count);
    store_row(base + (cursor.from + column * stride) * size, in, element_size, run, stride);
    in += run * size;
    count -= run;
    if (count > 0) cursor.advance(dims, strides, nullptr);
  }
}

void run(const CopyStep& step, Slots slots) {
  const std::byte* from = at(slots, step.from);
  std::byte* to = at(slots, step.to);
  auto size = static_cast<std::int64_t>(step.element_size);
  if (step.dims.empty()) {
    std::memcpy(to, from, static_cast<std::size_t>(size));
    return;
  }
  const kernels::Table& table = kernels::table();
  std::size_t last = step.dims.size() - 1;
  std::int64_t width = step.dims[last], in_step = step.from_strides[last], out_step = step.to_strides[last];
  if (last == 0 && in_step == 1 && out_step == 1) {
    parallel_for(static_cast<std::size_t>(width), grain_for(width, 1), [&](std::size_t begin, std::size_t end) {
      std::memcpy(to + begin * step.element_size, from + begin * step.element_size, (end - begin) * step.element_size);
    });
    return;
  }
  // The two innermost axes swapped: transposed copies, in strips of whole cache lines of the operand's rows.
  if (last >= 1 && step.from_strides[last - 1] == 1 && out_step == 1 && in_step > 0 &&
      step.to_strides[last - 1] == width) {
    const std::int64_t columns = step.dims[last - 1];
    const auto strip = std::max<std::int64_t>(static_cast<std::int64_t>(grain_for(columns, width)), 64);
    const std::int64_t strips = ceil_divide(columns, strip);
    DimVector outer(step.dims.begin(), step.dims.end() - 1);
    outer.back() = 1;
    std::int64_t units = strips;
    for (std::int64_t size : outer) units *= size;
    const std::size_t grain = grain_for(units, std::min(strip, columns) * width);
    parallel_for(static_cast<std::size_t>(units), grain, [&](std::size_t begin, std::size_t end) {
      const auto first = static_cast<std::int64_t>(begin), stop = static_cast<std::int64_t>(end);
      Cursor cursor;
      cursor.seek(first / strips, outer, step.from_strides, &step.to_strides);
      for (std::int64_t unit = first; unit < stop; ++unit) {
        const std::int64_t column = unit % strips * strip;
        table.transpose[size](to + (cursor.to + column * width) * size, from + (cursor.from + column) * size,
                              static_cast<std::size_t>(width),
                              static_cast<std::size_t>(std::min(strip, columns - column)),
                              static_cast<std::size_t>(in_step));
        if (column + strip >= columns) cursor.advance(outer, step.from_strides, &step.to_strides);
      }
    });
    return;
  }
  if (last == 0) {
    parallel_for(static_cast<std::size_t>(width), grain_for(width, 2), [&](std::size_t begin, std::size_t end) {
      const auto first = static_cast<std::int64_t>(begin), n = static_cast<std::int64_t>(end) - first;
      std::byte* out = to + first * out_step * size;
      const std::byte* in = from + first * in_step * size;
      if (out_step == 1)
        load_row(out, in, step.element_size, n, in_step);
      else
        copy_block(out, in, step.element_size, {1, n, 0, in_step, 0, out_step});
    });
    return;
  }
  constexpr std::int64_t kShortest = 16;  // elements of a row worth a call
  const bool in_blocks = width < kShortest || (in_step != 1 && out_step != 1);
  const std::int64_t in_row = step.from_strides[last - 1], out_row = step.to_strides[last - 1];
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
        table.store_strided[size](out, in, static_cast<std::size_t>(width), out_step);
      }
      cursor.advance(step.dims, step.from_strides, &step.to_strides);
    }
  });
}

}  // namespace lamina::runtime

// Strided reads and writes.
#include "runtime/strided.h"

#include <cstdint>
#include <cstring>

#include "runtime/cursor.h"
#include "runtime/steps.h"

namespace lamina::runtime {

namespace {

constexpr std::int64_t kShortRow = 32;  // elements

// Bytes of a row up to which no kernel need be called to copy it.
constexpr std::int64_t kCopiedHere = 1024;

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

// Does every row of the space read what the first one reads?
bool rows_repeat(const DimVector& dims, const DimVector& strides) {
  for (std::size_t axis = 0; axis + 1 < dims.size(); ++axis)
    if (strides[axis] != 0 && dims[axis] != 1) return false;
  return true;
}

}  // namespace

void load_row(std::byte* out, const std::byte* in, std::size_t size, std::int64_t n, std::int64_t stride) {
  if (stride == 1 && n * static_cast<std::int64_t>(size) <= kCopiedHere)
    std::memcpy(out, in, static_cast<std::size_t>(n) * size);
  else
    kernels::table().load_strided[size](out, in, static_cast<std::size_t>(n), stride);
}

void fill(std::byte* out, const std::byte* element, std::size_t element_size, std::int64_t n) {
  kernels::table().load_strided[element_size](out, element, static_cast<std::size_t>(n), 0);
}

std::int64_t row_offset(const DimVector& dims, const DimVector& strides, std::int64_t row) {
  if (dims.size() < 2) return 0;
  std::int64_t offset = 0;
  for (std::size_t axis = dims.size() - 1; --axis > 0; row /= dims[axis]) offset += row % dims[axis] * strides[axis];
  return offset + row * strides[0];
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

}  // namespace lamina::runtime

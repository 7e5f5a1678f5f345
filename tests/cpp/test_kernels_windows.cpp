// Products with the matrix of windows, for every instruction set, against loops.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/table.h"

namespace lamina::kernels {
namespace {

// Rows of windows over planes: m rows of a, every tap of a window of `taps` elements.
struct Shape {
  std::size_t m, taps, row_count, width;
};

// Thin and tall a, rows narrower and wider than a vector, which vectors fit well, exactly and badly, an odd number of
// vectors, single columns, several blocks of depth and of columns, rows of a 4 KB apart.
constexpr Shape kShapes[] = {{1, 9, 8, 8},      {2, 1, 3, 1},     {3, 4, 5, 2},     {7, 27, 4, 7},   {16, 9, 33, 33},
                             {13, 45, 1, 5},    {6, 33, 16, 4},   {20, 17, 64, 1},  {16, 18, 6, 32}, {32, 27, 3, 28},
                             {5, 400, 3, 100},  {64, 576, 8, 8},  {17, 10, 3, 16},  {1, 9, 4, 16},   {33, 5, 2, 32},
                             {20, 1023, 5, 30}, {20, 511, 5, 30}, {15, 40, 33, 31}, {15, 40, 7, 73}};

template <typename T>
struct Case {
  std::vector<T> planes, a, c;
  std::vector<std::ptrdiff_t> offsets, rows;
  WindowsArgs args{};

  Case(const Shape& shape, std::size_t a_columns, std::size_t c_columns, std::mt19937& random) {
    std::uniform_real_distribution<double> number(-1, 1);
    const std::size_t pitch = shape.width + 3;
    std::uniform_int_distribution<std::ptrdiff_t> place(0, 200);
    for (std::size_t p = 0; p < shape.taps; ++p) offsets.push_back(place(random));
    for (std::size_t r = 0; r < shape.row_count; ++r) rows.push_back(static_cast<std::ptrdiff_t>(r * pitch));
    planes.resize(200 + shape.row_count * pitch + 64);
    a.resize(shape.m * (a_columns + 1));
    c.assign(shape.m * (c_columns + 2), T(5));
    for (T& x : planes) x = static_cast<T>(number(random));
    for (T& x : a) x = static_cast<T>(number(random));
    args.planes = planes.data();
    args.offsets = offsets.data();
    args.taps = shape.taps;
    args.rows = rows.data();
    args.row_count = shape.row_count;
    args.width = shape.width;
    args.m = shape.m;
    args.a = a.data();
    args.a_row = static_cast<std::ptrdiff_t>(a_columns + 1);
    args.c = c.data();
    args.c_row = static_cast<std::ptrdiff_t>(c_columns + 2);
  }

  double u(std::size_t tap, std::size_t column) const {
    const std::ptrdiff_t within = static_cast<std::ptrdiff_t>(column % args.width);
    return planes[static_cast<std::size_t>(offsets[tap] + rows[column / args.width] + within)];
  }

  void run(WindowsFn function, WindowsWorkspaceFn bytes) {
    const std::size_t needed = bytes(args) + 64;
    std::vector<std::byte> memory(needed + 64);
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    args.workspace = memory.data() + (64 - address % 64) % 64;
    function(args);
  }
};

template <typename T>
void check_by_columns(const Table& table, DType dtype, const Shape& shape) {
  std::mt19937 random(7);
  const std::size_t columns = shape.row_count * shape.width;
  Case<T> one(shape, shape.taps, columns, random);
  one.run(table.windows_by_columns[index_of(dtype)], table.windows_workspace[index_of(dtype)]);
  for (std::size_t i = 0; i < shape.m; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (std::size_t p = 0; p < shape.taps; ++p) sum += one.a[i * (shape.taps + 1) + p] * one.u(p, j);
      ASSERT_NEAR(one.c[i * (columns + 2) + j], sum, 1e-5 * static_cast<double>(shape.taps)) << table.isa << i << j;
    }
    EXPECT_EQ(one.c[i * (columns + 2) + columns], T(5)) << "written past the row";
  }
}

template <typename T>
void check_by_taps(const Table& table, DType dtype, const Shape& shape, bool accumulate, bool dots) {
  std::mt19937 random(7);
  const std::size_t columns = shape.row_count * shape.width;
  Case<T> one(shape, columns, shape.taps, random);
  one.args.accumulate = accumulate;
  one.args.dots = dots;
  // Where the rows allow it, they belong to two images whose parts of a lie the other way round.
  const std::size_t images = shape.row_count % 2 == 0 ? 2 : 1, image = columns / images;
  one.args.images = images;
  one.args.a = one.a.data() + (images - 1) * image;
  one.args.a_image = -static_cast<std::ptrdiff_t>(image);
  one.run(table.windows_by_taps[index_of(dtype)], table.windows_workspace[index_of(dtype)]);
  for (std::size_t i = 0; i < shape.m; ++i) {
    for (std::size_t p = 0; p < shape.taps; ++p) {
      double sum = accumulate ? 5 : 0;
      for (std::size_t j = 0; j < columns; ++j) {
        const std::size_t place = images == 1 ? j : (j + image) % columns;
        sum += one.a[i * (columns + 1) + place] * one.u(p, j);
      }
      ASSERT_NEAR(one.c[i * (shape.taps + 2) + p], sum, 1e-5 * static_cast<double>(columns + 5)) << table.isa << i << p;
    }
    EXPECT_EQ(one.c[i * (shape.taps + 2) + shape.taps], T(5)) << "written past the row";
  }
}

TEST(Windows, ByColumns) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    for (const Shape& shape : kShapes) {
      check_by_columns<float>(**table, DType::kFloat32, shape);
      check_by_columns<double>(**table, DType::kFloat64, shape);
    }
  }
}

TEST(Windows, ByTaps) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    for (const Shape& shape : kShapes) {
      for (bool accumulate : {false, true}) {
        for (bool dots : {false, true}) {
          check_by_taps<float>(**table, DType::kFloat32, shape, accumulate, dots);
          check_by_taps<double>(**table, DType::kFloat64, shape, accumulate, dots);
        }
      }
    }
  }
}

}  // namespace
}  // namespace lamina::kernels

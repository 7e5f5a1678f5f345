// Fourier transforms in lanes, against sums in double precision; and lanes to rows and columns and back.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "kernel_operands.h"
#include "runtime/fourier_tables.h"

namespace lamina::kernels {
namespace {

using Complex = std::complex<double>;

template <class T>
std::size_t lanes_of(const Table& table) {
  return table.vector_bytes / sizeof(T);
}

std::vector<Complex> by_definition(const std::vector<Complex>& x, bool inverse) {
  const std::size_t n = x.size();
  std::vector<Complex> y(n);
  for (std::size_t k = 0; k < n; ++k)
    for (std::size_t j = 0; j < n; ++j)
      y[k] += x[j] * std::polar(1.0, (inverse ? 2 : -2) * std::numbers::pi * static_cast<double>(j * k % n) /
                                         static_cast<double>(n));
  return y;
}

// Points of lanes, in a vector-aligned place.
template <class T>
struct Lanes {
  explicit Lanes(std::size_t count) : memory(count + 64 / sizeof(T)) {
    void* place = memory.data();
    std::size_t space = memory.size() * sizeof(T);
    data = static_cast<T*>(std::align(64, count * sizeof(T), place, space));
  }
  std::vector<T> memory;
  T* data;
};

template <class T>
void check_transform(const Table& table, std::size_t n, bool inverse) {
  const auto tables =
      runtime::fourier_tables(n, kIndex<T> == index_of(DType::kFloat32) ? DType::kFloat32 : DType::kFloat64);
  ASSERT_EQ(tables->padded, 0u);
  const std::size_t lanes = lanes_of<T>(table), point = 2 * lanes;
  const std::vector<T> x = random_values<T>(n * point, 3);
  Lanes<T> data(n * point), other(n * point);
  std::copy(x.begin(), x.end(), data.data);
  const std::size_t count = tables->passes.size();
  const double scale = count ? 0.5 : 1;
  table.fourier[kIndex<T>](
      {data.data, other.data, tables->roots.data(), tables->passes.data(), count, n, inverse, scale});
  const T* result = count % 2 ? other.data : data.data;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    std::vector<Complex> row(n);
    double size = 0;
    for (std::size_t j = 0; j < n; ++j) {
      row[j] = {x[j * point + lane], x[j * point + lanes + lane]};
      size += std::norm(row[j]);
    }
    const std::vector<Complex> expected = by_definition(row, inverse);
    const double bound = 2 * std::numeric_limits<T>::epsilon() * std::log2(n + 1.0) * std::sqrt(size) + 1e-13;
    for (std::size_t k = 0; k < n; ++k) {
      const Complex got{result[k * point + lane], result[k * point + lanes + lane]};
      EXPECT_LE(std::abs(got - scale * expected[k]), bound) << table.isa << ", " << n << " points, place " << k;
    }
  }
}

TEST(KernelsFourier, are_sums_of_turned_points) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    for (const std::size_t n :
         {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 25, 26, 32, 64, 77, 105, 128, 143, 240}) {
      check_transform<float>(**table, n, false), check_transform<float>(**table, n, true);
      check_transform<double>(**table, n, false), check_transform<double>(**table, n, true);
    }
  }
}

template <class T>
void check_rows(const Table& table, std::size_t rows, std::size_t columns) {
  const std::size_t lanes = lanes_of<T>(table), stride = columns + 3;
  const std::vector<T> x = random_values<T>(lanes * stride, 4);
  Lanes<T> data(columns * lanes);
  table.rows_to_lanes[kIndex<T>](data.data, x.data(), rows, columns, stride);
  for (std::size_t j = 0; j < columns; ++j)
    for (std::size_t i = 0; i < lanes; ++i) EXPECT_EQ(data.data[j * lanes + i], i < rows ? x[i * stride + j] : T{0});
  Guarded<T> back(rows * columns);
  table.lanes_to_rows[kIndex<T>](back.data(), data.data, rows, columns, columns);
  EXPECT_TRUE(back.intact());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) EXPECT_EQ(back.data()[i * columns + j], x[i * stride + j]);
}

template <class T>
void check_columns(const Table& table, std::size_t width, std::size_t parts) {
  constexpr std::size_t kRows = 3;
  const std::size_t lanes = lanes_of<T>(table), stride = width + 2, first = (lanes - width) / 2;
  const std::vector<T> x = random_values<T>(((kRows - 1) * stride + width) * parts, 5);
  Lanes<T> data(kRows * parts * lanes);
  table.columns_to_lanes[kIndex<T>](data.data + first, x.data(), kRows, width, stride, parts);
  Guarded<T> back(kRows * width * parts);
  table.lanes_to_columns[kIndex<T>](back.data(), data.data + first, kRows, width, width, parts);
  EXPECT_TRUE(back.intact());
  for (std::size_t row = 0; row < kRows; ++row)
    for (std::size_t i = 0; i < width; ++i)
      for (std::size_t part = 0; part < parts; ++part) {
        const T expected = x[(row * stride + i) * parts + part];
        EXPECT_EQ(data.data[(row * parts + part) * lanes + first + i], expected);
        EXPECT_EQ(back.data()[(row * width + i) * parts + part], expected);
      }
}

TEST(KernelsFourier, rows_and_columns_become_lanes_and_back) {
  for (const Table* const* table = available_tables(); *table; ++table) {
    for (std::size_t count = 1; count <= lanes_of<float>(**table); ++count) {
      for (const std::size_t columns : {1, 5, 16, 37}) check_rows<float>(**table, count, columns);
      check_columns<float>(**table, count, 1), check_columns<float>(**table, count, 2);
    }
    for (std::size_t count = 1; count <= lanes_of<double>(**table); ++count) {
      for (const std::size_t columns : {1, 5, 16, 37}) check_rows<double>(**table, count, columns);
      check_columns<double>(**table, count, 1), check_columns<double>(**table, count, 2);
    }
  }
}

}  // namespace
}  // namespace lamina::kernels

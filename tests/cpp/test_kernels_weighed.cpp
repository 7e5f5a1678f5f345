// Sums of weighed rows and elements, and their adjoints, against plain loops.
#include <gtest/gtest.h>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

struct Entries {
  std::vector<std::int64_t> index;  // [count][taps]
  std::size_t places;
};

Entries entries_of(std::size_t count, std::size_t taps, std::size_t places) {
  std::vector<std::int64_t> index(count * taps);
  for (std::size_t i = 0; i < index.size(); ++i) index[i] = static_cast<std::int64_t>((i * 7 + i / 3) % places);
  return {index, places};
}

template <class T>
void expect_near(T* found, const std::vector<long double>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e3 * std::numeric_limits<T>::epsilon()) << i;
}

template <class T>
void check_rows(const Table& table, std::size_t taps, std::size_t width, std::size_t pitch) {
  const std::size_t count = 5;
  const Entries entries = entries_of(count, taps, 4);
  const RowsShape shape{count, taps, width, pitch};
  const auto x = random_values<T>(entries.places * pitch, 1), y = random_values<T>(count * pitch, 2);
  const auto weights = random_values<T>(count * taps, 3);
  std::vector<long double> taken(count * pitch), put(x.begin(), x.end()), dots(weights.begin(), weights.end());
  for (std::size_t j = 0; j < count; ++j) {
    for (std::size_t k = 0; k < taps; ++k) {
      const std::size_t e = j * taps + k, row = static_cast<std::size_t>(entries.index[e]) * pitch;
      for (std::size_t i = 0; i < width; ++i) {
        taken[j * pitch + i] += static_cast<long double>(weights[e]) * x[row + i];
        put[row + i] += static_cast<long double>(weights[e]) * y[j * pitch + i];
        dots[e] += static_cast<long double>(x[row + i]) * y[j * pitch + i];
      }
    }
  }
  Guarded<T> out(count * pitch), places(x.size()), products(weights.size());
  std::fill(out.data(), out.data() + count * pitch, T(0));
  std::copy(x.begin(), x.end(), places.data());
  std::copy(weights.begin(), weights.end(), products.data());
  const std::int64_t* index = entries.index.data();
  table.weigh_rows[kIndex<T>](out.data(), x.data(), index, weights.data(), shape);
  table.add_weighed_rows[kIndex<T>](places.data(), y.data(), index, weights.data(), shape);
  table.add_row_products[kIndex<T>](products.data(), x.data(), y.data(), index, shape);
  expect_near(out.data(), taken), expect_near(places.data(), put), expect_near(products.data(), dots);
  EXPECT_TRUE(out.intact() && places.intact() && products.intact());
}

template <class T>
void check_elements(const Table& table, std::size_t taps, std::size_t n) {
  const Entries entries = entries_of(n, taps, 9);
  const auto plane = random_values<T>(entries.places, 1), y = random_values<T>(n, 2);
  const auto weights = random_values<T>(n * taps, 3);
  const std::vector<std::int32_t> index(entries.index.begin(), entries.index.end());  // [taps][n] here
  std::vector<long double> taken(n), dots(weights.begin(), weights.end());
  for (std::size_t e = 0; e < n * taps; ++e) {
    const auto place = static_cast<std::size_t>(index[e]);
    taken[e % n] += static_cast<long double>(weights[e]) * plane[place];
    dots[e] += static_cast<long double>(plane[place]) * y[e % n];
  }
  Guarded<T> out(n), products(n * taps);
  std::copy(weights.begin(), weights.end(), products.data());
  table.weigh_elements[kIndex<T>](out.data(), plane.data(), index.data(), weights.data(), n, taps);
  table.add_element_products[kIndex<T>](products.data(), plane.data(), y.data(), index.data(), n, taps);
  expect_near(out.data(), taken), expect_near(products.data(), dots);
  EXPECT_TRUE(out.intact() && products.intact());
}

TEST(KernelsWeighed, rows) {
  for_each_table([](const Table& table) {
    for (const std::size_t taps : {1, 2, 3, 4, 8}) {
      for (const std::size_t width : {1, 2, 7, 8, 16, 33, 100}) {
        check_rows<float>(table, taps, width, width + 2);
        check_rows<double>(table, taps, width, width);
      }
    }
  });
}

TEST(KernelsWeighed, elements) {
  for_each_table([](const Table& table) {
    for (const std::size_t taps : {1, 2, 5}) {
      for (const std::size_t n : {1, 7, 16, 100}) {
        check_elements<float>(table, taps, n);
        check_elements<double>(table, taps, n);
      }
    }
  });
}

}  // namespace
}  // namespace lamina::kernels

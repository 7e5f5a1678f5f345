// Matrix products with exact numbers, their expected results by plain loops, and how to run them by every kernel table.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/table.h"
#include "runtime/matmul.h"
#include "runtime/thread_pool.h"
#include "support/dtype.h"

namespace lamina {

using kernels::Activation;
using kernels::MatmulArgs;
using kernels::MatmulTail;

using Floats = ::testing::Types<float, double>;

template <typename T>
constexpr DType kTypeOf = std::is_same_v<T, float>          ? DType::kFloat32
                          : std::is_same_v<T, double>       ? DType::kFloat64
                          : std::is_same_v<T, std::int32_t> ? DType::kInt32
                                                            : DType::kInt64;

// Where the elements of a matrix lie. Each fills its allocation exactly, so that a sanitizer sees every stray read.
enum class Layout {
  kRows,
  kColumns,
  kPaddedRows,
  kFarRows,
  kPaddedColumns,
  kStepped,
  kReversed,
  kFlipped,
  kOneRow,
  kOneColumn,
  kHankel
};
constexpr Layout kLayouts[] = {Layout::kRows,          Layout::kColumns,   Layout::kPaddedRows, Layout::kFarRows,
                               Layout::kPaddedColumns, Layout::kStepped,   Layout::kReversed,   Layout::kFlipped,
                               Layout::kOneRow,        Layout::kOneColumn, Layout::kHankel};

// A matrix of small whole numbers: their sums of products are exact in any order.
template <typename T>
struct Matrix {
  std::size_t rows, columns;
  std::ptrdiff_t row = 0, column = 0, origin = 0;
  std::vector<T> elements;

  Matrix(std::size_t r, std::size_t c, Layout layout, std::mt19937& random) : rows(r), columns(c) {
    const std::ptrdiff_t m = static_cast<std::ptrdiff_t>(r), n = static_cast<std::ptrdiff_t>(c);
    switch (layout) {
      case Layout::kRows:
        row = n, column = 1;
        break;
      case Layout::kColumns:
        row = 1, column = m;
        break;
      case Layout::kPaddedRows:
        row = n + 3, column = 1;
        break;
      case Layout::kFarRows:
        row = n + 1030, column = 1;
        break;
      case Layout::kPaddedColumns:
        row = 1, column = m + 5;
        break;
      case Layout::kStepped:
        row = 2 * n + 3, column = 2;
        break;
      case Layout::kReversed:
        row = -n, column = -1;
        break;
      case Layout::kFlipped:
        row = 1, column = -m;
        break;
      case Layout::kOneRow:
        row = 0, column = 1;
        break;
      case Layout::kOneColumn:
        row = 1, column = 0;
        break;
      case Layout::kHankel:
        row = 1, column = 1;
        break;
    }
    std::ptrdiff_t lowest = 0, highest = 0;
    if (m > 0 && n > 0) {
      for (const std::ptrdiff_t end : {row * (m - 1), column * (n - 1)}) (end < 0 ? lowest : highest) += end;
    }
    origin = -lowest;
    elements.resize(m > 0 && n > 0 ? static_cast<std::size_t>(highest - lowest + 1) : 0);
    std::uniform_int_distribution<int> numbers(-8, 8);
    for (T& element : elements) element = static_cast<T>(numbers(random));
  }

  const T* data() const { return elements.data() + origin; }
  T& at(std::size_t i, std::size_t j) {
    return elements[static_cast<std::size_t>(origin + static_cast<std::ptrdiff_t>(i) * row +
                                             static_cast<std::ptrdiff_t>(j) * column)];
  }
  T at(std::size_t i, std::size_t j) const { return const_cast<Matrix*>(this)->at(i, j); }

  std::vector<T> in_rows() const {
    std::vector<T> dense;
    dense.reserve(rows * columns);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < columns; ++j) dense.push_back(at(i, j));
    }
    return dense;
  }
};

// row += factor * other. Instrumented, the expected results would take most of the time of a sanitizer's run.
template <typename T>
__attribute__((no_sanitize("thread", "address"))) void add_multiple(T factor, const T* other, T* row, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) row[j] += factor * other[j];
}

struct Free {
  void operator()(void* p) const { std::free(p); }
};

template <typename T>
constexpr T kUntouched = T(99);

// A product and its result, whose rows are `padding` elements longer than they need to be. What is updated is a second
// part of the result.
template <typename T>
struct Case {
  Matrix<T> a, b;
  std::vector<T> bias = {};  // empty: none
  Activation activation = Activation::kNone;
  std::size_t padding = 0;
  std::vector<T> addend = {}, mask = {}, base = {};  // laid out as the result; empty: none
  T rate = T(0.5);
  bool in_place = false;  // the update is written over its base

  std::size_t stride() const { return b.columns + padding; }
  std::size_t elements() const { return a.rows * stride(); }

  MatmulTail tail(std::vector<T>& c) const {
    const auto from_c = [&c](const T* other) {
      return reinterpret_cast<const char*>(other) - reinterpret_cast<const char*>(c.data());
    };
    const auto if_any = [&](const std::vector<T>& other) { return other.empty() ? 0 : from_c(other.data()); };
    const std::ptrdiff_t updated = base.empty() ? 0 : from_c(c.data() + elements());
    return {if_any(addend), if_any(mask), in_place ? updated : if_any(base), updated, &rate};
  }

  MatmulArgs args(std::vector<T>& c, const MatmulTail* more = nullptr) const {
    return {a.rows,
            b.columns,
            a.columns,
            a.data(),
            a.row,
            a.column,
            b.data(),
            b.row,
            b.column,
            c.data(),
            static_cast<std::ptrdiff_t>(stride()),
            bias.empty() ? nullptr : bias.data(),
            activation,
            addend.empty() && mask.empty() && base.empty() ? nullptr : more,
            nullptr,
            nullptr,
            nullptr,
            0,
            false};
  }

  std::vector<T> untouched() const {
    std::vector<T> c(elements(), kUntouched<T>);
    if (base.empty()) return c;
    const std::vector<T> updated = in_place ? base : c;
    c.insert(c.end(), updated.begin(), updated.end());
    return c;
  }

  std::vector<T> by_table(const kernels::Table& table) const {
    std::vector<T> c = untouched();
    const MatmulTail more = tail(c);
    MatmulArgs product = args(c, &more);
    const std::size_t bytes = table.matmul_workspace[index_of(kTypeOf<T>)](product);
    void* workspace = nullptr;
    if (bytes != 0 && posix_memalign(&workspace, 64, bytes) != 0) ADD_FAILURE() << "no memory";
    const std::unique_ptr<void, Free> owner(workspace);
    if (bytes != 0) std::memset(workspace, 0xff, bytes);  // NaNs: nothing may be read before it is written
    product.workspace = workspace;
    table.matmul[index_of(kTypeOf<T>)](product);
    return c;
  }

  std::vector<T> by_runtime() const {
    std::vector<T> c = untouched();
    const MatmulTail more = tail(c);
    const std::ptrdiff_t none[] = {0};
    runtime::matmul(kTypeOf<T>, args(c, &more), none, none, none);
    return c;
  }

  std::vector<T> by_plain_loops() const {
    const std::size_t n = b.columns;
    const std::vector<T> dense_a = a.in_rows(), dense_b = b.in_rows();
    std::vector<T> c = untouched();
    for (std::size_t i = 0; i < a.rows; ++i) {
      T* row = c.data() + i * stride();
      for (std::size_t j = 0; j < n; ++j) row[j] = bias.empty() ? T(0) : bias[j];
      for (std::size_t p = 0; p < a.columns; ++p) {
        add_multiple(dense_a[i * a.columns + p], dense_b.data() + p * n, row, n);
      }
      for (std::size_t j = 0; j < n; ++j) {
        const std::size_t place = i * stride() + j;
        if (!addend.empty()) row[j] += addend[place];
        if (activation == Activation::kRelu && row[j] < T(0)) row[j] = T(0);
        if (!mask.empty() && mask[place] <= T(0)) row[j] = T(0);
        if (!base.empty()) c[elements() + place] = base[place] - row[j] * rate;
      }
    }
    return c;
  }
};

std::mt19937 random_numbers(20260822);

template <typename T>
Case<T> make_case(std::size_t m, std::size_t n, std::size_t k, Layout a = Layout::kRows, Layout b = Layout::kRows) {
  return {Matrix<T>(m, k, a, random_numbers), Matrix<T>(k, n, b, random_numbers), {}};
}

template <typename T>
void add_epilogue(Case<T>& product) {
  for (std::size_t j = 0; j < product.b.columns; ++j)
    product.bias.push_back(static_cast<T>(static_cast<int>(j % 7) - 3));
  product.activation = Activation::kRelu;
}

// Parts of a tail by bits: addend, relu, mask, update, update in place.
template <typename T>
void add_tail(Case<T>& product, unsigned parts) {
  std::uniform_int_distribution<int> numbers(-8, 8);
  const auto matrix = [&](bool wanted) {
    std::vector<T> elements(wanted ? product.elements() : 0, kUntouched<T>);
    for (std::size_t i = 0; wanted && i < product.a.rows; ++i)
      for (std::size_t j = 0; j < product.b.columns; ++j)
        elements[i * product.stride() + j] = static_cast<T>(numbers(random_numbers));
    return elements;
  };
  product.addend = matrix(parts & 1);
  product.activation = parts & 2 ? Activation::kRelu : Activation::kNone;
  product.mask = matrix(parts & 4);
  product.base = matrix(parts & 24);
  product.in_place = parts & 16;
}
constexpr unsigned kTails[] = {1, 3, 4, 7, 8, 16, 31};

template <typename T>
std::string text_of(const Case<T>& x) {
  return std::to_string(x.a.rows) + "x" + std::to_string(x.a.columns) + "x" + std::to_string(x.b.columns) + " a(" +
         std::to_string(x.a.row) + "," + std::to_string(x.a.column) + ") b(" + std::to_string(x.b.row) + "," +
         std::to_string(x.b.column) + ")" + (x.bias.empty() ? "" : " bias") + (x.addend.empty() ? "" : " addend") +
         (x.activation == Activation::kRelu ? " relu" : "") + (x.mask.empty() ? "" : " mask") +
         (x.base.empty() ? ""
          : x.in_place   ? " update in place"
                         : " update") +
         " " + name_of(kTypeOf<T>);
}

template <typename T>
void expect_exact(const Case<T>& product) {
  const std::vector<T> expected = product.by_plain_loops();
  for (const kernels::Table* const* table = kernels::available_tables(); *table != nullptr; ++table) {
    EXPECT_TRUE(product.by_table(**table) == expected) << text_of(product) << " by " << (*table)->isa;
  }
  EXPECT_TRUE(product.by_runtime() == expected) << text_of(product) << " by the runtime";
}

}  // namespace lamina

// What transforms of one length need: the order of their passes, and roots of unity. Made once and kept.
#pragma once

#include <memory>
#include <vector>

#include "kernels/table.h"
#include "support/dtype.h"

namespace lamina::runtime {

struct FourierTables {
  std::size_t n = 0;  // points
  // A pass of radix r over groups of l points has, for each p in 1 … l / r - 1 and i in 1 … r - 1, cosine and sine of
  // -2 pi p i / l. Of a length with large prime factors the passes are those of `padded` points.
  std::vector<kernels::FourierPass> passes;
  std::vector<std::byte> roots;
  // The first n / 2 + 1 roots of unity of 2 n, to take half a spectrum from n points.
  std::vector<std::byte> half_roots;
  // Bluestein's convolution: a transform is the product with `chirp`, n numbers, then the circular convolution with its
  // conjugate, whose spectrum (over `padded`) is `chirp_spectrum`, then the product with it again. 0: not needed.
  std::size_t padded = 0;
  std::vector<std::byte> chirp, chirp_spectrum;

  std::size_t points() const { return padded ? padded : n; }
};

// dtype: float32 or float64. From any thread; the last ones asked for are kept.
std::shared_ptr<const FourierTables> fourier_tables(std::size_t n, DType dtype);

// A long row is transformed in two steps (Bailey's): as a matrix of `rows` by `columns` points, in row-major order,
// down the columns, as many of them side by side as there are lanes; times roots of unity; then along the rows, as many
// rows side by side.
struct FourierSteps {
  std::size_t rows = 0, columns = 0;  // 0: the length has large prime factors, or is too short
  std::shared_ptr<const FourierTables> down, along;
  std::vector<std::byte> turns;  // of each `lanes` columns: of each row a point, in lanes
};

std::shared_ptr<const FourierSteps> fourier_steps(std::size_t n, std::size_t lanes, DType dtype);

}  // namespace lamina::runtime

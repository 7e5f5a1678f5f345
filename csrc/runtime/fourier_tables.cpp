// Roots of unity and passes by length. All are computed in double precision and rounded once.
#include "runtime/fourier_tables.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <list>
#include <mutex>
#include <numbers>
#include <tuple>
#include <utility>

namespace lamina::runtime {

namespace {

using Complex = std::complex<double>;

// exp(-2 pi i k / n), k < n; by an angle of at most an eighth of a turn, so that what is exact stays so.
Complex root_of_unity(std::size_t k, std::size_t n) {
  const std::size_t eighth = 8 * k / n;
  // 8 k = eighth n + rest; from the nearer of the eighth's ends that is a multiple of a quarter.
  const std::size_t quarter = (eighth + 1) / 2;
  const double turn = (static_cast<double>(4 * k) - static_cast<double>(quarter * n)) / static_cast<double>(n);
  const double angle = turn * (std::numbers::pi / 2), cosine = std::cos(angle), sine = -std::sin(angle);
  switch (quarter % 4) {
    case 0:
      return {cosine, sine};
    case 1:
      return {sine, -cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {-sine, cosine};
  }
}

void put(std::byte* to, double number, DType dtype) {
  const auto narrow = static_cast<float>(number);
  if (dtype == DType::kFloat64)
    std::memcpy(to, &number, sizeof number);
  else
    std::memcpy(to, &narrow, sizeof narrow);
}

std::vector<std::byte> rounded(const std::vector<Complex>& numbers, DType dtype) {
  const std::size_t size = size_of(dtype);
  std::vector<std::byte> bytes(numbers.size() * 2 * size);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    put(bytes.data() + 2 * i * size, numbers[i].real(), dtype);
    put(bytes.data() + (2 * i + 1) * size, numbers[i].imag(), dtype);
  }
  return bytes;
}

// Of n, if it is a product of radices: the larger first.
std::vector<std::size_t> radices_of(std::size_t n) {
  std::vector<std::size_t> radices;
  for (const std::size_t prime : {13, 11, 7, 5, 3})
    for (; n % prime == 0; n /= prime) radices.push_back(prime);
  std::size_t twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  if (n != 1) return {};
  for (; twos >= 3 && twos != 4; twos -= 3) radices.push_back(8);
  for (; twos >= 2; twos -= 2) radices.push_back(4);
  if (twos) radices.push_back(2);
  return radices;
}

void add_passes(FourierTables& tables, std::size_t n, DType dtype) {
  std::vector<Complex> roots;
  std::size_t length = n;
  for (const std::size_t radix : radices_of(n)) {
    tables.passes.push_back({radix, 2 * roots.size()});
    for (std::size_t p = 1; p < length / radix; ++p)
      for (std::size_t i = 1; i < radix; ++i) roots.push_back(root_of_unity(p * i, length));
    length /= radix;
  }
  tables.roots = rounded(roots, dtype);
}

// The transform of n = product of radices numbers, in double precision, whatever the kernels compute in.
std::vector<Complex> transformed(const std::vector<Complex>& x) {
  const std::size_t n = x.size();
  if (n == 1) return x;
  const std::size_t radix = n % 2 == 0 ? 2 : n % 3 == 0 ? 3 : 5, m = n / radix;
  std::vector<Complex> result(n);
  std::vector<std::vector<Complex>> parts;
  for (std::size_t i = 0; i < radix; ++i) {
    std::vector<Complex> part(m);
    for (std::size_t j = 0; j < m; ++j) part[j] = x[j * radix + i];
    parts.push_back(transformed(part));
  }
  for (std::size_t k = 0; k < n; ++k)
    for (std::size_t i = 0; i < radix; ++i) result[k] += parts[i][k % m] * root_of_unity(i * k % n, n);
  return result;
}

void add_convolution(FourierTables& tables, DType dtype) {
  const std::size_t n = tables.n;
  std::size_t padded = 1;
  for (; padded < 2 * n - 1; padded *= 2) {
  }
  if (padded / 4 * 3 >= 2 * n - 1) padded = padded / 4 * 3;
  std::vector<Complex> chirp(n), conjugates(padded);
  for (std::size_t k = 0; k < n; ++k) {
    chirp[k] = root_of_unity(k * k % (2 * n), 2 * n);
    conjugates[k] = std::conj(chirp[k]);
    if (k) conjugates[padded - k] = conjugates[k];
  }
  std::vector<Complex> spectrum = transformed(conjugates);
  for (Complex& number : spectrum) number /= static_cast<double>(padded);
  tables.padded = padded;
  tables.chirp = rounded(chirp, dtype), tables.chirp_spectrum = rounded(spectrum, dtype);
  add_passes(tables, padded, dtype);
}

std::shared_ptr<const FourierTables> make_tables(std::size_t n, DType dtype) {
  auto tables = std::make_shared<FourierTables>();
  tables->n = n;
  if (n == 1 || !radices_of(n).empty())
    add_passes(*tables, n, dtype);
  else
    add_convolution(*tables, dtype);
  std::vector<Complex> half(n / 2 + 1);
  for (std::size_t k = 0; k < half.size(); ++k) half[k] = root_of_unity(k, 2 * n);
  tables->half_roots = rounded(half, dtype);
  return tables;
}

std::shared_ptr<const FourierSteps> make_steps(std::size_t n, std::size_t lanes, DType dtype) {
  auto steps = std::make_shared<FourierSteps>();
  if (n < 64 || radices_of(n).empty()) return steps;
  std::size_t rows = static_cast<std::size_t>(std::sqrt(static_cast<double>(n)));
  while (n % rows != 0) --rows;
  const std::size_t columns = n / rows;
  steps->rows = rows, steps->columns = columns;
  steps->down = fourier_tables(rows, dtype), steps->along = fourier_tables(columns, dtype);
  const std::size_t blocks = (columns + lanes - 1) / lanes, size = size_of(dtype);
  steps->turns.resize(blocks * rows * 2 * lanes * size);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) {
      const Complex root = root_of_unity(i * j, n);
      const std::size_t at = ((j / lanes * rows + i) * 2 * lanes + j % lanes) * size;
      put(steps->turns.data() + at, root.real(), dtype),
          put(steps->turns.data() + at + lanes * size, root.imag(), dtype);
    }
  return steps;
}

std::size_t bytes_of(const FourierTables& tables) {
  return tables.roots.size() + tables.half_roots.size() + tables.chirp.size() + tables.chirp_spectrum.size();
}
std::size_t bytes_of(const FourierSteps& steps) { return steps.turns.size(); }

// What was asked for last; its key: length, lanes, type.
template <typename Made>
class Kept {
 public:
  using Key = std::tuple<std::size_t, std::size_t, DType>;

  template <typename Make>
  std::shared_ptr<const Made> find_or_make(const Key& key, Make make) {
    {
      const std::lock_guard lock(mutex_);
      const auto found =
          std::find_if(kept_.begin(), kept_.end(), [&](const auto& entry) { return entry.first == key; });
      if (found != kept_.end()) {
        kept_.splice(kept_.begin(), kept_, found);
        return found->second;
      }
    }
    std::shared_ptr<const Made> made = make();
    const std::lock_guard lock(mutex_);
    kept_.emplace_front(key, made);
    std::size_t bytes = 0;
    for (const auto& entry : kept_) bytes += bytes_of(*entry.second);
    for (; kept_.size() > 1 && (kept_.size() > kMost || bytes > kMostBytes); kept_.pop_back())
      bytes -= bytes_of(*kept_.back().second);
    return made;
  }

 private:
  static constexpr std::size_t kMost = 64, kMostBytes = std::size_t{1} << 26;

  std::mutex mutex_;
  std::list<std::pair<Key, std::shared_ptr<const Made>>> kept_;
};

}  // namespace

std::shared_ptr<const FourierTables> fourier_tables(std::size_t n, DType dtype) {
  static auto* kept = new Kept<FourierTables>;
  return kept->find_or_make({n, 0, dtype}, [&] { return make_tables(n, dtype); });
}

std::shared_ptr<const FourierSteps> fourier_steps(std::size_t n, std::size_t lanes, DType dtype) {
  static auto* kept = new Kept<FourierSteps>;
  return kept->find_or_make({n, lanes, dtype}, [&] { return make_steps(n, lanes, dtype); });
}

}  // namespace lamina::runtime

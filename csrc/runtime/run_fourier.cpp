// The Fourier step: rows go through the lanes of vectors side by side. How they are cut depends on shapes only, so that
// the thread count does not change a bit of the result.
#include <algorithm>
#include <bit>
#include <utility>

#include "runtime/ceil_divide.h"
#include "runtime/fourier_rows.h"
#include "runtime/fourier_tables.h"
#include "runtime/steps.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

// T: float or double, the type of the parts.
template <typename T>
class Transform {
 public:
  Transform(const FourierStep& step, Slots slots)
      : step_(step),
        in_(reinterpret_cast<const T*>(at(slots, step.in))),
        out_(reinterpret_cast<T*>(at(slots, step.out))),
        n_(static_cast<std::size_t>(step.n)),
        points_(static_cast<std::size_t>(step.points())),
        tables_(fourier_tables(points_, step.dtype)) {}

  void run() const {
    const std::size_t rows = static_cast<std::size_t>(step_.outer * step_.inner), units = ceil_divide(rows, lanes_);
    const auto work = static_cast<std::int64_t>(n_ * lanes_ * std::bit_width(n_)) / 2;
    const std::size_t each = (std::max(tables_->points(), points_ + 1) + 1) * point_;
    parallel_for(units, grain_for(static_cast<std::int64_t>(units), work), [&](std::size_t begin, std::size_t end) {
      auto* data = static_cast<T*>(thread_scratch(2 * each * sizeof(T)));
      for (; begin < end; ++begin) {
        const std::size_t first = begin * lanes_;
        run_rows({first, std::min(lanes_, rows - first), data, data + each});
      }
    });
  }

 private:
  // Rows in lanes, and memory for their points, twice.
  struct Rows {
    std::size_t first, count;
    T *data, *other;
  };

  void run_rows(Rows rows) const {
    switch (step_.kind) {
      case Fourier::complex:
        load(rows, rows.data, n_, 2);
        return store(rows, transform(rows.data, rows.other, step_.inverse, step_.scale), 2);
      case Fourier::half:
        return step_.paired() ? half_by_pairs(rows) : half_of_odd(rows);
      case Fourier::real:
        return step_.paired() ? real_by_pairs(rows) : real_of_odd(rows);
    }
  }

  // Of pairs of real points as complex points the spectrum, from which theirs is made.
  void half_by_pairs(Rows rows) const {
    load(rows, rows.data, n_, 1);
    T *spectrum = transform(rows.data, rows.other, false, 1), *half = other_of(rows, spectrum);
    const kernels::FourierHalfArgs args{half,       spectrum,      tables_->half_roots.data(),
                                        points_,    step_.inverse, step_.adjoint ? 2 * step_.scale : step_.scale,
                                        step_.scale};
    table_.split_spectrum[type_](args);
    store(rows, half, 2);
  }
  void real_by_pairs(Rows rows) const {
    load(rows, rows.data, points_ + 1, 2);
    const kernels::FourierHalfArgs args{rows.other, rows.data,      tables_->half_roots.data(),
                                        points_,    !step_.inverse, step_.adjoint ? step_.scale / 2 : step_.scale,
                                        step_.scale};
    table_.join_spectrum[type_](args);
    store(rows, transform(rows.other, rows.data, true, 1), 1);
  }

  // Real points with imaginary parts of 0.
  void half_of_odd(Rows rows) const {
    load(rows, rows.other, n_, 1);
    for (std::size_t k = 0; k < n_; ++k) {
      std::copy_n(rows.other + k * lanes_, lanes_, rows.data + k * point_);
      std::fill_n(rows.data + k * point_ + lanes_, lanes_, T{0});
    }
    T* spectrum = transform(rows.data, rows.other, step_.inverse, step_.scale);
    if (step_.adjoint)
      for (T* x = spectrum + point_; x != spectrum + (n_ / 2 + 1) * point_; ++x) *x *= 2;
    store(rows, spectrum, 2);
  }
  // The whole spectrum.
  void real_of_odd(Rows rows) const {
    load(rows, rows.data, n_ / 2 + 1, 2);
    std::fill_n(rows.data + lanes_, lanes_, T{0});
    if (step_.adjoint)
      for (T* x = rows.data + point_; x != rows.data + (n_ / 2 + 1) * point_; ++x) *x /= 2;
    for (std::size_t k = 1; k <= n_ / 2; ++k) {
      const T* x = rows.data + k * point_;
      T* mirrored = rows.data + (n_ - k) * point_;
      std::copy_n(x, lanes_, mirrored);
      std::transform(x + lanes_, x + point_, mirrored + lanes_, [](T part) { return -part; });
    }
    T *result = transform(rows.data, rows.other, step_.inverse, step_.scale), *real = other_of(rows, result);
    for (std::size_t k = 0; k < n_; ++k) std::copy_n(result + k * point_, lanes_, real + k * lanes_);
    store(rows, real, 1);
  }

  static T* other_of(const Rows& rows, const T* one) { return one == rows.data ? rows.other : rows.data; }

  // Of data's points, of which there are points_; returns which of the two has the result.
  T* transform(T* data, T* other, bool inverse, double scale) const {
    const std::size_t points = tables_->points(), count = tables_->passes.size();
    const auto pass = [&](bool backwards, double by) {
      table_.fourier[type_]({data, other, tables_->roots.data(), tables_->passes.data(), count, points, backwards, by});
      if (count % 2) std::swap(data, other);
    };
    if (!tables_->padded) {
      pass(inverse, scale);
      return data;
    }
    const auto multiply = [&](const std::vector<std::byte>& numbers, std::size_t n) {
      table_.multiply_points[type_](data, numbers.data(), n, inverse);
    };
    multiply(tables_->chirp, points_);
    std::fill(data + points_ * point_, data + points * point_, T{0});
    pass(inverse, 1);
    multiply(tables_->chirp_spectrum, points);
    pass(!inverse, scale);
    multiply(tables_->chirp, points_);
    return data;
  }

  // As many places as the operand has, then zeros up to `places`.
  void load(const Rows& rows, T* to, std::size_t places, std::size_t parts) const {
    const std::size_t given = std::min(static_cast<std::size_t>(step_.in_places), places), row = given * parts;
    std::fill(to + row * lanes_, to + places * parts * lanes_, T{0});
    if (step_.inner == 1) {
      const std::size_t stride = static_cast<std::size_t>(step_.in_places) * parts;
      return table_.rows_to_lanes[type_](to, in_ + rows.first * stride, rows.count, row, stride);
    }
    if (rows.count < lanes_) std::fill_n(to, row * lanes_, T{0});
    for_neighbors(rows, step_.in_places, parts, [&](std::size_t lane, std::size_t width, std::size_t place) {
      table_.columns_to_lanes[type_](to + lane, in_ + place, given, width, static_cast<std::size_t>(step_.inner),
                                     parts);
    });
  }

  void store(const Rows& rows, const T* from, std::size_t parts) const {
    const auto places = static_cast<std::size_t>(step_.out_places);
    if (step_.inner == 1)
      return table_.lanes_to_rows[type_](out_ + rows.first * places * parts, from, rows.count, places * parts,
                                         places * parts);
    for_neighbors(rows, step_.out_places, parts, [&](std::size_t lane, std::size_t width, std::size_t place) {
      table_.lanes_to_columns[type_](out_ + place, from + lane, places, width, static_cast<std::size_t>(step_.inner),
                                     parts);
    });
  }

  // Calls use(lane, width, place of the first point) for lanes whose points lie side by side.
  template <typename Use>
  void for_neighbors(const Rows& rows, std::int64_t places, std::size_t parts, Use use) const {
    const auto inner = static_cast<std::size_t>(step_.inner), along = static_cast<std::size_t>(places);
    for (std::size_t lane = 0, width; lane < rows.count; lane += width) {
      const std::size_t outer = (rows.first + lane) / inner, at = (rows.first + lane) % inner;
      width = std::min(rows.count - lane, inner - at);
      use(lane, width, (outer * along * inner + at) * parts);
    }
  }

  const FourierStep& step_;
  const T* in_;
  T* out_;
  const kernels::Table& table_ = kernels::table();
  const std::size_t lanes_ = table_.vector_bytes / sizeof(T), point_ = 2 * lanes_, type_ = index_of(step_.dtype);
  const std::size_t n_;
  const std::size_t points_;  // complex ones
  const std::shared_ptr<const FourierTables> tables_;
};

}  // namespace

void run(const FourierStep& step, Slots slots) {
  if (has_long_rows(step))
    run_long_rows(step, slots);
  else if (step.dtype == DType::kFloat32)
    Transform<float>(step, slots).run();
  else
    Transform<double>(step, slots).run();
}

}  // namespace lamina::runtime

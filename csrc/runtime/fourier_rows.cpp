// Test: tests/python/test_fft.py.
#include "runtime/fourier_rows.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <new>
#include <utility>

#include "runtime/ceil_divide.h"
#include "runtime/fourier_tables.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

constexpr std::size_t kLine = 64;

struct FreeLines {
  void operator()(void* data) const { ::operator delete(data, std::align_val_t{kLine}); }
};
// As thread_scratch, but for what several threads work on.
template <typename T>
using Memory = std::unique_ptr<T[], FreeLines>;
template <typename T>
Memory<T> make_memory(std::size_t count) {
  return Memory<T>(static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{kLine})));
}

std::size_t lanes_of(DType dtype) { return kernels::table().vector_bytes / size_of(dtype); }

// T: float or double, the type of the parts. Rows are complex numbers, real and imaginary parts alternating.
template <typename T>
class LongRows {
 public:
  LongRows(const FourierStep& step, Slots slots)
      : step_(step),
        in_(reinterpret_cast<const T*>(at(slots, step.in))),
        out_(reinterpret_cast<T*>(at(slots, step.out))),
        n_(static_cast<std::size_t>(step.n)),
        points_(static_cast<std::size_t>(step.points())),
        tables_(fourier_tables(points_, step.dtype)),
        padded_(tables_->points()),
        steps_(fourier_steps(padded_, lanes_, step.dtype)) {}

  void run() const {
    const std::size_t in_row = static_cast<std::size_t>(step_.in_places * step_.in_parts());
    const std::size_t out_row = static_cast<std::size_t>(step_.out_places * step_.out_parts());
    parallel_for(static_cast<std::size_t>(step_.outer), grain_for(step_.outer, work(n_)),
                 [&](std::size_t begin, std::size_t end) {
                   const std::size_t each = 2 * (padded_ + 1);
                   Memory<T> memory = make_memory<T>(2 * each + between_size());
                   for (; begin < end; ++begin)
                     run_row(out_ + begin * out_row, in_ + begin * in_row,
                             {memory.get() + between_size(), memory.get() + between_size() + each, memory.get()});
                 });
  }

 private:
  // Of a row: padded_ + 1 complex numbers each; and what lies between the steps of a transform.
  struct Room {
    T *first, *second, *between;
  };

  static std::int64_t work(std::size_t n) { return static_cast<std::int64_t>(n * std::bit_width(n)) / 2; }
  std::size_t between_size() const { return ceil_divide(steps_->rows, lanes_) * steps_->columns * point_; }

  void run_row(T* out, const T* in, Room room) const {
    const auto given = static_cast<std::size_t>(step_.in_places * step_.in_parts());
    const auto wanted = static_cast<std::size_t>(step_.out_places * step_.out_parts());
    // What is read as 2 * points numbers, and a result that is wanted in part.
    const auto whole = [&](const T* x, std::size_t have, std::size_t need, T* to) {
      if (have == need) return x;
      std::fill(std::copy_n(x, have, to), to + need, T{0});
      return static_cast<const T*>(to);
    };
    const auto put = [&](const T* x) { std::copy_n(x, wanted, out); };
    const kernels::FourierHalfArgs half{nullptr, nullptr, tables_->half_roots.data(), points_, false, 0, step_.scale};
    if (step_.kind == Fourier::complex) {
      T* to = wanted == 2 * n_ ? out : room.second;
      transform(to, whole(in, given, 2 * n_, room.first), step_.inverse, step_.scale, room);
      if (to != out) put(to);
    } else if (step_.paired() && step_.kind == Fourier::half) {
      transform(room.second, whole(in, given, n_, room.first), false, 1, room);
      auto args = half;
      T* to = wanted == n_ + 2 ? out : room.first;
      args.out = to, args.in = room.second, args.conjugate = step_.inverse;
      args.scale = step_.adjoint ? 2 * step_.scale : step_.scale;
      table_.split_row[type_](args);
      if (to != out) put(to);
    } else if (step_.paired()) {
      auto args = half;
      args.out = room.first, args.in = whole(in, given, n_ + 2, room.second), args.conjugate = !step_.inverse;
      args.scale = step_.adjoint ? step_.scale / 2 : step_.scale;
      table_.join_row[type_](args);
      T* to = wanted == n_ ? out : room.second;
      transform(to, room.first, true, 1, room);
      if (to != out) put(to);
    } else if (step_.kind == Fourier::half) {
      for (std::size_t k = 0; k < n_; ++k) room.first[2 * k] = k < given ? in[k] : T{0}, room.first[2 * k + 1] = T{0};
      transform(room.second, room.first, step_.inverse, step_.scale, room);
      if (step_.adjoint)
        std::transform(room.second + 2, room.second + n_ + 1, room.second + 2, [](T x) { return 2 * x; });
      put(room.second);
    } else {
      const T* x = whole(in, given, n_ + 1, room.second);
      const T part = step_.adjoint ? T{0.5} : T{1};
      room.first[0] = x[0], room.first[1] = T{0};
      for (std::size_t k = 1; k <= n_ / 2; ++k) {
        T *low = room.first + 2 * k, *high = room.first + 2 * (n_ - k);
        low[0] = high[0] = x[2 * k] * part, low[1] = x[2 * k + 1] * part, high[1] = -low[1];
      }
      transform(room.second, room.first, step_.inverse, step_.scale, room);
      for (std::size_t k = 0; k < wanted; ++k) out[k] = room.second[2 * k];
    }
  }

  // points_ numbers; `in` may be room.first, `out` room.second.
  void transform(T* out, const T* in, bool inverse, double scale, Room room) const {
    if (!tables_->padded) return run_steps(out, in, inverse, scale, room.between);
    const auto multiply = [&](T* to, const T* x, const std::vector<std::byte>& numbers, std::size_t n) {
      table_.multiply_row[type_](to, x, numbers.data(), n, inverse);
    };
    multiply(room.first, in, tables_->chirp, points_);
    std::fill(room.first + 2 * points_, room.first + 2 * padded_, T{0});
    run_steps(room.second, room.first, inverse, 1, room.between);
    multiply(room.second, room.second, tables_->chirp_spectrum, padded_);
    run_steps(room.first, room.second, !inverse, scale, room.between);
    multiply(out, room.first, tables_->chirp, points_);
  }

  void run_steps(T* out, const T* in, bool inverse, double scale, T* between) const {
    const std::size_t rows = steps_->rows, columns = steps_->columns;
    const std::size_t across = ceil_divide(columns, lanes_), down = ceil_divide(rows, lanes_);
    const std::size_t points = ceil_divide(std::max(rows, columns), lanes_) * lanes_, each = (points + 1) * point_;
    const auto shared = [&](std::size_t units, std::size_t length, auto&& body) {
      parallel_for(units, grain_for(static_cast<std::int64_t>(units), work(length * lanes_)),
                   [&](std::size_t begin, std::size_t end) {
                     auto* scratch = static_cast<T*>(thread_scratch(2 * each * sizeof(T)));
                     for (; begin < end; ++begin) body(begin, scratch, scratch + each);
                   });
    };
    shared(across, rows, [&](std::size_t block, T* data, T* other) {
      const std::size_t first = block * lanes_, width = std::min(lanes_, columns - first);
      if (width < lanes_) std::fill_n(data, rows * point_, T{0});
      table_.columns_to_lanes[type_](data, in + 2 * first, rows, width, columns, 2);
      T* spectrum = run_passes(*steps_->down, data, other, inverse, 1);
      const auto* turns = reinterpret_cast<const T*>(steps_->turns.data()) + block * rows * point_;
      table_.multiply_lanes[type_](spectrum, turns, rows, inverse);
      for (std::size_t k = 0; k < down; ++k)
        table_.turn_lanes[type_](between + (k * columns + first) * point_, spectrum + k * lanes_ * point_,
                                 std::min(lanes_, rows - k * lanes_), width);
    });
    shared(down, columns, [&](std::size_t block, T* data, T*) {
      const T* spectrum = run_passes(*steps_->along, between + block * columns * point_, data, inverse, scale);
      table_.lanes_to_columns[type_](out + 2 * block * lanes_, spectrum, columns,
                                     std::min(lanes_, rows - block * lanes_), rows, 2);
    });
  }

  T* run_passes(const FourierTables& tables, T* data, T* other, bool inverse, double scale) const {
    table_.fourier[type_](
        {data, other, tables.roots.data(), tables.passes.data(), tables.passes.size(), tables.n, inverse, scale});
    return tables.passes.size() % 2 ? other : data;
  }

  const FourierStep& step_;
  const T* in_;
  T* out_;
  const kernels::Table& table_ = kernels::table();
  const std::size_t lanes_ = lanes_of(step_.dtype), point_ = 2 * lanes_, type_ = index_of(step_.dtype);
  const std::size_t n_, points_;
  const std::shared_ptr<const FourierTables> tables_;
  const std::size_t padded_;
  const std::shared_ptr<const FourierSteps> steps_;
};

}  // namespace

bool has_long_rows(const FourierStep& step) {
  // Points of a row. Halves of spectra are made sooner in lanes.
  constexpr std::size_t kLeast = 256;
  const std::size_t most = step.paired() ? 1 << 11 : 1 << 8;
  const std::size_t points = static_cast<std::size_t>(step.points()), lanes = lanes_of(step.dtype);
  if (step.inner != 1 || points < kLeast) return false;
  if (points <= most && static_cast<std::size_t>(step.outer) * 2 > lanes) return false;
  return fourier_steps(fourier_tables(points, step.dtype)->points(), lanes, step.dtype)->rows != 0;
}

void run_long_rows(const FourierStep& step, Slots slots) {
  if (step.dtype == DType::kFloat32)
    LongRows<float>(step, slots).run();
  else
    LongRows<double>(step, slots).run();
}

}  // namespace lamina::runtime

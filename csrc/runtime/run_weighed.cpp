// Sums of weighed slices that an index names, and their two adjoints: rows where what lies behind the axis is more than
// an element, else elements of planes, for which the index is brought into the order of vectors once for many planes.
#include <algorithm>
#include <cstring>

#include "runtime/ceil_divide.h"
#include "runtime/steps.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

using kernels::RowsShape;

template <typename T>
class Weighed {
 public:
  Weighed(const WeighedStep& step, Slots slots)
      : step_(step),
        x_(reinterpret_cast<T*>(at(slots, step.x))),
        y_(reinterpret_cast<T*>(at(slots, step.y))),
        weights_(reinterpret_cast<T*>(at(slots, step.weights))),
        index_(reinterpret_cast<const std::int64_t*>(at(slots, step.index))),
        by_elements_(step.inner == 1 && step.places < std::int64_t{1} << 31) {}

  void run() const {
    switch (step_.kind) {
      case WeighedStep::Kind::kTake:
        return by_elements_ ? take_elements() : take_rows();
      case WeighedStep::Kind::kPut:
        return put();
      case WeighedStep::Kind::kDots:
        return by_elements_ ? element_products() : row_products();
    }
  }

 private:
  // Where a plane (one of batch * outer) of x begins, a row of it of y, and its batch's index and weights for that row.
  T* table(std::int64_t plane) const { return x_ + plane * step_.places * step_.inner; }
  T* row(std::int64_t plane, std::int64_t entry) const { return y_ + (plane * step_.count + entry) * step_.inner; }
  std::int64_t entry(std::int64_t plane, std::int64_t first) const {
    return (plane / step_.outer * step_.count + first) * step_.taps;
  }
  RowsShape shape(std::int64_t count, std::int64_t width) const {
    return {static_cast<std::size_t>(count), static_cast<std::size_t>(step_.taps), static_cast<std::size_t>(width),
            static_cast<std::size_t>(step_.inner)};
  }
  std::size_t type() const { return index_of(step_.dtype); }

  template <typename Body>
  static void share(std::int64_t units, std::int64_t elements, Body body) {
    parallel_for(static_cast<std::size_t>(units), grain_for(units, elements), [&](std::size_t begin, std::size_t end) {
      body(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
    });
  }

  void take_rows() const {
    const std::int64_t planes = step_.batch * step_.outer;
    share(planes * step_.count, step_.taps * step_.inner, [&](std::int64_t begin, std::int64_t end) {
      while (begin < end) {
        const std::int64_t plane = begin / step_.count, first = begin % step_.count;
        const std::int64_t n = std::min(step_.count - first, end - begin), where = entry(plane, first);
        kernels::table().weigh_rows[type()](row(plane, first), table(plane), index_ + where, weights_ + where,
                                            shape(n, step_.inner));
        begin += n;
      }
    });
  }

  // A plane, or some of its columns, belongs to one thread: what meets at a place does so in order.
  void put() const {
    constexpr std::int64_t kColumns = 128, kEnough = 8;
    const std::int64_t planes = step_.batch * step_.outer;
    const std::int64_t width = planes < kEnough ? std::min(kColumns, step_.inner) : step_.inner;
    const std::int64_t pieces = ceil_divide(step_.inner, width);
    const std::int64_t weight = (step_.places + 2 * step_.count * step_.taps) * width;
    share(planes * pieces, weight, [&](std::int64_t begin, std::int64_t end) {
      for (; begin < end; ++begin) {
        const std::int64_t plane = begin / pieces, first = begin % pieces * width, where = entry(plane, 0);
        const std::int64_t columns = std::min(width, step_.inner - first);
        T* const to = table(plane) + first;
        for (std::int64_t place = 0; place < step_.places; ++place)
          std::fill_n(to + place * step_.inner, columns, T(0));
        if (step_.inner == 1)
          put_elements(to, row(plane, 0), index_ + where, weights_ + where);
        else
          kernels::table().add_weighed_rows[type()](to, row(plane, 0) + first, index_ + where, weights_ + where,
                                                    shape(step_.count, columns));
      }
    });
  }

  void put_elements(T* plane, const T* from, const std::int64_t* index, const T* weights) const {
    for (std::int64_t j = 0; j < step_.count; ++j)
      for (std::int64_t k = 0; k < step_.taps; ++k) plane[*index++] += *weights++ * from[j];
  }

  void row_products() const {
    share(step_.batch * step_.count, step_.outer * step_.taps * step_.inner, [&](std::int64_t begin, std::int64_t end) {
      std::fill(weights_ + begin * step_.taps, weights_ + end * step_.taps, T(0));
      while (begin < end) {
        const std::int64_t batch = begin / step_.count, first = begin % step_.count;
        const std::int64_t n = std::min(step_.count - first, end - begin);
        for (std::int64_t plane = batch * step_.outer; plane < (batch + 1) * step_.outer; ++plane)
          kernels::table().add_row_products[type()](weights_ + begin * step_.taps, table(plane), row(plane, first),
                                                    index_ + begin * step_.taps, shape(n, step_.inner));
        begin += n;
      }
    });
  }

  // Entries whose index and weights stay in the cache, [taps][n] each.
  std::int64_t block() const { return std::clamp<std::int64_t>((1 << 12) / step_.taps, 16, 512); }
  struct Turned {
    std::int64_t first, n;  // entries
    std::int32_t* index;
    T* weights;
  };
  // Block `number` of a batch's entries, in the thread's scratch until the next one.
  Turned turned(std::int64_t batch, std::int64_t number, bool with_weights) const {
    const std::int64_t first = number * block(), n = std::min(block(), step_.count - first);
    const auto elements = static_cast<std::size_t>(n * step_.taps);
    auto* weights = static_cast<T*>(thread_scratch(elements * (sizeof(T) + sizeof(std::int32_t))));
    const Turned found{first, n, reinterpret_cast<std::int32_t*>(weights + elements), weights};
    const std::int64_t where = entry(batch * step_.outer, first);
    for (std::int64_t k = 0; k < step_.taps; ++k) {
      for (std::int64_t j = 0; j < n; ++j) {
        found.index[k * n + j] = static_cast<std::int32_t>(index_[where + j * step_.taps + k]);
        found.weights[k * n + j] = with_weights ? weights_[where + j * step_.taps + k] : T(0);
      }
    }
    return found;
  }

  void take_elements() const {
    constexpr std::int64_t kPlanes = 64;
    const std::int64_t blocks = ceil_divide(step_.count, block()), groups = ceil_divide(step_.outer, kPlanes);
    const std::int64_t weight = std::min(block(), step_.count) * step_.taps * std::min(kPlanes, step_.outer);
    share(step_.batch * groups * blocks, 2 * weight, [&](std::int64_t begin, std::int64_t end) {
      for (; begin < end; ++begin) {
        const std::int64_t batch = begin / blocks / groups, group = begin / blocks % groups;
        const Turned part = turned(batch, begin % blocks, true);
        const std::int64_t first = batch * step_.outer + group * kPlanes;
        const std::int64_t last = std::min(first + kPlanes, (batch + 1) * step_.outer);
        for (std::int64_t plane = first; plane < last; ++plane)
          kernels::table().weigh_elements[type()](row(plane, part.first), table(plane), part.index, part.weights,
                                                  static_cast<std::size_t>(part.n),
                                                  static_cast<std::size_t>(step_.taps));
      }
    });
  }

  void element_products() const {
    const std::int64_t blocks = ceil_divide(step_.count, block());
    const std::int64_t weight = std::min(block(), step_.count) * step_.taps * (step_.outer + 1);
    share(step_.batch * blocks, 2 * weight, [&](std::int64_t begin, std::int64_t end) {
      for (; begin < end; ++begin) {
        const std::int64_t batch = begin / blocks;
        const Turned part = turned(batch, begin % blocks, false);
        for (std::int64_t plane = batch * step_.outer; plane < (batch + 1) * step_.outer; ++plane)
          kernels::table().add_element_products[type()](part.weights, table(plane), row(plane, part.first), part.index,
                                                        static_cast<std::size_t>(part.n),
                                                        static_cast<std::size_t>(step_.taps));
        T* const to = weights_ + entry(batch * step_.outer, part.first);
        for (std::int64_t j = 0; j < part.n; ++j)
          for (std::int64_t k = 0; k < step_.taps; ++k) to[j * step_.taps + k] = part.weights[k * part.n + j];
      }
    });
  }

  const WeighedStep& step_;
  T *x_, *y_, *weights_;
  const std::int64_t* index_;
  const bool by_elements_;
};

}  // namespace

void run(const WeighedStep& step, Slots slots) {
  step.dtype == DType::kFloat64 ? Weighed<double>(step, slots).run() : Weighed<float>(step, slots).run();
}

}  // namespace lamina::runtime

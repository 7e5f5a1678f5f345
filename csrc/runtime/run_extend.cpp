// Planes that reach beyond the borders of others: rows are copied as runs between borders of single elements. Back, the
// rows that one was copied to are summed in their order, then the borders are added to what they came from: no sum
// depends on the number of threads.
#include <algorithm>
#include <cstdlib>

#include "runtime/steps.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"
#include "support/small_vector.h"

namespace lamina::runtime {

namespace {

using Places = SmallVector<std::int64_t, 64>;

std::int64_t source_of(Borders borders, std::int64_t place, std::int64_t size) {
  switch (borders) {
    case Borders::reflect:
      return size - 1 - std::abs(size - 1 - std::abs(place));
    case Borders::replicate:
      return std::clamp<std::int64_t>(place, 0, size - 1);
    case Borders::circular:
      return (place % size + size) % size;
  }
  return 0;
}

// By place along an axis of y: where it comes from in x.
Places sources_along(const ExtendStep& step, int axis) {
  Places sources(static_cast<std::size_t>(step.y_size[axis]));
  for (std::size_t i = 0; i < sources.size(); ++i)
    sources[i] = source_of(step.borders, static_cast<std::int64_t>(i) - step.before[axis], step.x_size[axis]);
  return sources;
}

// By place along an axis of x: which places of y are made of it, ascending.
class Readers {
 public:
  Readers(const Places& sources, std::int64_t size)
      : starts_(static_cast<std::size_t>(size) + 1, 0), places_(sources.size()) {
    for (std::int64_t source : sources) ++starts_[static_cast<std::size_t>(source) + 1];
    for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    Places next(starts_);
    for (std::size_t place = 0; place < sources.size(); ++place)
      places_[static_cast<std::size_t>(next[static_cast<std::size_t>(sources[place])]++)] =
          static_cast<std::int64_t>(place);
  }

  const std::int64_t* begin(std::int64_t place) const {
    return places_.data() + starts_[static_cast<std::size_t>(place)];
  }
  const std::int64_t* end(std::int64_t place) const { return begin(place + 1); }

 private:
  Places starts_, places_;
};

class Extended {
 public:
  explicit Extended(const ExtendStep& step) : step_(step), depths_(sources_along(step, 0)) {
    rows_ = sources_along(step, 1);
    const Places columns = sources_along(step, 2);
    const std::int64_t width = step.x_size[2], wide = step.y_size[2], before = step.before[2];
    const std::int64_t begin = std::clamp<std::int64_t>(before, 0, wide);
    const std::int64_t end = std::clamp<std::int64_t>(before + width, begin, wide);
    from_.assign(columns.begin(), columns.begin() + begin);
    from_.insert(from_.end(), columns.begin() + end, columns.end());
    borders_ = {static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin),
                static_cast<std::size_t>(wide - end), static_cast<std::size_t>(begin < end ? begin - before : 0),
                from_.data()};
  }
  Extended(const Extended&) = delete;
  Extended& operator=(const Extended&) = delete;

  void forward(const std::byte* x, std::byte* y) const {
    const auto element = static_cast<std::int64_t>(size_of(step_.dtype));
    share(step_.y_size, step_.y_size[2], [&](std::int64_t begin, std::int64_t end) {
      std::int64_t offsets[kTogether];
      Row place(step_.y_size, begin);
      for (std::int64_t row = begin; row < end; row += kTogether) {
        const std::int64_t count = std::min(kTogether, end - row);
        for (std::int64_t i = 0; i < count; ++i, place.advance()) {
          const std::int64_t z = place.plane * step_.x_size[0] + depths_[static_cast<std::size_t>(place.z)];
          offsets[i] = (z * step_.x_size[1] + rows_[static_cast<std::size_t>(place.row)]) * step_.x_size[2];
        }
        kernels::table().extend_rows[element](y + row * step_.y_size[2] * element, x, offsets,
                                              static_cast<std::size_t>(count), borders_);
      }
    });
  }

  void back(const std::byte* y, std::byte* x) const {
    const Readers depths(depths_, step_.x_size[0]), rows(rows_, step_.x_size[1]);
    share(step_.x_size, step_.x_size[2] + step_.y_size[2], [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t element = static_cast<std::int64_t>(size_of(step_.dtype));
      const std::int64_t width = step_.x_size[2] * element, wide = step_.y_size[2] * element;
      auto* const sum = static_cast<std::byte*>(thread_scratch(static_cast<std::size_t>(wide)));
      Row place(step_.x_size, begin);
      for (std::int64_t row = begin; row < end; ++row, place.advance()) {
        const std::byte* found = nullptr;
        for (const std::int64_t* i = depths.begin(place.z); i != depths.end(place.z); ++i)
          for (const std::int64_t* j = rows.begin(place.row); j != rows.end(place.row); ++j)
            found = added(sum, found, y + ((place.plane * step_.y_size[0] + *i) * step_.y_size[1] + *j) * wide);
        if (!found) {
          std::fill_n(x + row * width, width, std::byte{0});
          continue;
        }
        const std::int64_t offset = 0;
        kernels::table().fold_rows[index_of(step_.dtype)](x + row * width, found, &offset, 1,
                                                          static_cast<std::size_t>(step_.x_size[2]), borders_);
      }
    });
  }

 private:
  static constexpr std::int64_t kTogether = 64;

  // Which row of which plane one is, counted through all.
  struct Row {
    Row(const ExtendStep::Sizes& size, std::int64_t number)
        : depth(size[0]),
          height(size[1]),
          plane(number / height / depth),
          z(number / height % depth),
          row(number % height) {}
    void advance() {
      if (++row < height) return;
      row = 0;
      if (++z < depth) return;
      z = 0, ++plane;
    }
    std::int64_t depth, height, plane, z, row;
  };

  template <typename Body>
  void share(const ExtendStep::Sizes& size, std::int64_t elements, Body body) const {
    const std::int64_t rows = step_.planes * size[0] * size[1];
    parallel_for(static_cast<std::size_t>(rows), grain_for(rows, elements), [&](std::size_t begin, std::size_t end) {
      body(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
    });
  }

  // The sum so far and a row: in `sum`, or the row itself, if it is the first.
  const std::byte* added(std::byte* sum, const std::byte* so_far, const std::byte* row) const {
    if (!so_far) return row;
    const void* both[] = {so_far, row};
    kernels::table().elementwise[static_cast<std::size_t>(Elementwise::add)][index_of(step_.dtype)](
        sum, both, static_cast<std::size_t>(step_.y_size[2]));
    return sum;
  }

  const ExtendStep& step_;
  const Places depths_;
  Places rows_, from_;
  kernels::RowBorders borders_;
};

}  // namespace

void run(const ExtendStep& step, Slots slots) {
  const Extended extended(step);
  std::byte *const x = at(slots, step.x), *const y = at(slots, step.y);
  step.back ? extended.back(y, x) : extended.forward(x, y);
}

}  // namespace lamina::runtime

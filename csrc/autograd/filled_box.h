// Around all elements of a gradient that slices have given something so far: outside of it, the gradient is still 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "graph/shape.h"

namespace lamina {

class FilledBox {
 public:
  // Of a slice of this shape; its starts, then its steps, an axis each.
  FilledBox(const Attribute& starts_and_steps, const Shape* shape) {
    const auto rank = static_cast<std::size_t>(shape->rank());
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::int64_t first = starts_and_steps[axis];
      const std::int64_t last = first + (shape->dims()[axis] - 1) * starts_and_steps[rank + axis];
      begins_.push_back(std::min(first, last));
      ends_.push_back(std::max(first, last) + 1);
    }
  }

  bool is_apart_from(const FilledBox& other) const {
    for (std::size_t axis = 0; axis < begins_.size(); ++axis)
      if (ends_[axis] <= other.begins_[axis] || other.ends_[axis] <= begins_[axis]) return true;
    return false;
  }

  void include(const FilledBox& other) {
    for (std::size_t axis = 0; axis < begins_.size(); ++axis) {
      begins_[axis] = std::min(begins_[axis], other.begins_[axis]);
      ends_[axis] = std::max(ends_[axis], other.ends_[axis]);
    }
  }

 private:
  DimVector begins_, ends_;
};

}  // namespace lamina

// Where a walk over strided memory is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plan/plan.h"

namespace lamina::runtime {

// An odometer over all axes but the last.
struct Cursor {
  static constexpr std::size_t kMostDims = 64;  // of more than one element, so that no memory holds more
  std::int64_t coordinates[kMostDims];
  std::int64_t from = 0, to = 0;

  void seek(std::int64_t row, const DimVector& dims, const DimVector& from_strides, const DimVector* to_strides) {
    from = to = 0;
    for (std::size_t axis = dims.size() - 1; axis-- > 0;) {
      coordinates[axis] = row % dims[axis];
      row /= dims[axis];
      from += coordinates[axis] * from_strides[axis];
      if (to_strides) to += coordinates[axis] * (*to_strides)[axis];
    }
  }

  void advance(const DimVector& dims, const DimVector& from_strides, const DimVector* to_strides) {
    for (std::size_t axis = dims.size() - 1; axis-- > 0;) {
      from += from_strides[axis];
      if (to_strides) to += (*to_strides)[axis];
      if (++coordinates[axis] < dims[axis]) return;
      from -= from_strides[axis] * dims[axis];
      if (to_strides) to -= (*to_strides)[axis] * dims[axis];
      coordinates[axis] = 0;
    }
  }
};

}  // namespace lamina::runtime

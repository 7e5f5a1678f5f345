// Broadcasting and collapsing of iteration spaces.
#include "compile/iteration_space.h"

#include <algorithm>

namespace lamina {

DimVector broadcast_strides(const Shape* space, const Shape* shape, const Layout& layout) {
  DimVector own = strides_of(shape, layout);
  std::size_t added = space->dims().size() - own.size();
  DimVector strides(space->dims().size(), 0);
  for (std::size_t axis = 0; axis < own.size(); ++axis)
    if (shape->dims()[axis] == space->dims()[axis + added]) strides[axis + added] = own[axis];
  return strides;
}

void collapse(DimVector& dims, std::span<DimVector* const> strides) {
  std::size_t kept = 0;
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis] == 1) continue;
    bool merges = kept > 0;
    for (DimVector* own : strides) merges = merges && (*own)[kept - 1] == (*own)[axis] * dims[axis];
    if (merges) {
      dims[kept - 1] *= dims[axis];
      for (DimVector* own : strides) (*own)[kept - 1] = (*own)[axis];
    } else {
      dims[kept] = dims[axis];
      for (DimVector* own : strides) (*own)[kept] = (*own)[axis];
      ++kept;
    }
  }
  dims.resize(kept);
  for (DimVector* own : strides) own->resize(kept);
}

std::optional<ReducedSpace> reduced_space(Dims dims, Dims axes) {
  ReducedSpace space;
  bool begun = false, ended = false;
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis] == 1) continue;
    if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end()) {
      if (ended) return std::nullopt;
      begun = true;
      space.n *= dims[axis];
    } else {
      ended = begun;
      (begun ? space.inner : space.outer) *= dims[axis];
    }
  }
  return space;
}

bool is_uniform(Dims dims, Dims strides) {
  for (std::size_t axis = 0; axis < dims.size(); ++axis)
    if (dims[axis] != 1 && strides[axis] != 0) return false;
  return true;
}

bool is_contiguous(Dims dims, Dims strides) {
  std::int64_t step = 1;
  for (std::size_t axis = dims.size(); axis-- > 0;) {
    if (dims[axis] != 1 && strides[axis] != step) return false;
    step *= dims[axis];
  }
  return true;
}

}  // namespace lamina

// Axes as users give them.
#include "functions/axes.h"

#include <algorithm>
#include <numeric>

#include "support/check.h"

namespace lamina::functions {

int wrap_axis(std::int64_t axis, int rank) {
  std::int64_t range = std::max(rank, 1);
  if (axis < -range || axis >= range)
    fail(ErrorKind::kIndex, "Dimension out of range (expected to be in range of [", -range, ", ", range - 1,
         "], but got ", axis, ")");
  return static_cast<int>(axis < 0 ? axis + range : axis);
}

int wrap_own_axis(std::int64_t axis, int rank) {
  if (rank == 0) fail(ErrorKind::kIndex, "Dimension specified as ", axis, " but tensor has no dimensions");
  return wrap_axis(axis, rank);
}

DimVector wrap_axes(Dims axes, int rank) {
  check(rank <= 64, "only tensors with up to 64 dims are supported");
  DimVector result;
  for (std::int64_t axis : axes) {
    int wrapped = wrap_axis(axis, rank);
    check(std::find(result.begin(), result.end(), wrapped) == result.end(), "dim ", wrapped,
          " appears multiple times in the list of dims");
    result.push_back(wrapped);
  }
  if (rank == 0) result.clear();
  std::sort(result.begin(), result.end());
  return result;
}

DimVector wrap_or_all(const std::optional<DimVector>& axes, int rank) {
  if (axes && !axes->empty()) return wrap_axes(*axes, rank);
  DimVector all(static_cast<std::size_t>(rank));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace lamina::functions

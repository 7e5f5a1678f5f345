// Axes as users give them: negative ones counted from the end, checked.
#pragma once

#include <optional>

#include "graph/shape.h"

namespace lamina::functions {

// Raises IndexError "Dimension out of range (expected to be in range of [-2, 1], but got 2)". A 0-d tensor takes -1 and
// 0.
int wrap_axis(std::int64_t axis, int rank);
// The same for a tensor that must have axes: IndexError for a 0-d one.
int wrap_own_axis(std::int64_t axis, int rank);
// Ascending and distinct; raises RuntimeError for a repeated axis.
DimVector wrap_axes(Dims axes, int rank);
// No axes: all of them.
DimVector wrap_or_all(const std::optional<DimVector>& axes, int rank);

}  // namespace lamina::functions

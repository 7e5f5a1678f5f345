// Iteration spaces: how the elements of several operands are walked together, with as few dimensions as possible.
#pragma once

#include <optional>
#include <span>

#include "graph/shape.h"
#include "ops/view_layout.h"
#include "plan/plan.h"

namespace lamina {

// The strides with which an operand of `shape` and `layout` is read when it is broadcast over `space`.
DimVector broadcast_strides(const Shape* space, const Shape* shape, const Layout& layout);

// Drops dimensions of size 1 and merges neighbors that every operand walks evenly. strides: one vector an operand.
void collapse(DimVector& dims, std::span<DimVector* const> strides);

// What the element count and strides say about reading in order: all the same element; or one after the other.
bool is_uniform(Dims dims, Dims strides);
bool is_contiguous(Dims dims, Dims strides);

// A shape whose reduced axes are neighbors (axes of size 1 aside): [outer][n][inner], n reduced.
struct ReducedSpace {
  std::int64_t outer = 1, n = 1, inner = 1;
  bool operator==(const ReducedSpace&) const = default;
};
// None if the axes are not neighbors.
std::optional<ReducedSpace> reduced_space(Dims dims, Dims axes);

}  // namespace lamina

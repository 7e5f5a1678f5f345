// Where a view's elements lie, given where its operand's lie.
#pragma once

#include <optional>

#include "graph/value.h"
#include "ops/table.h"

namespace lamina {

// The strides of a layout, spelled out.
DimVector strides_of(const Shape* shape, const Layout& layout);
// Row-major strides.
DimVector contiguous_strides(const Shape* shape);
// Null strides when `strides` are row-major for this shape (axes of size 1 and empty shapes do not matter).
const Attribute* strides_attribute(const Shape* shape, Dims strides);

// An offset and strides, spelled out for empty shapes too.
struct Places {
  std::int64_t offset = 0;
  DimVector strides;
};
// Where the elements of a view lie, for an op of the View family; nothing if strides cannot tell.
std::optional<Places> view_places(Op op, const Attribute* attribute, const Shape* in_shape, const Places& in,
                                  const Shape* out_shape);

// The result's layout, for an op of the View family; nothing if the elements cannot be reached by strides (a reshape of
// scattered elements), and a copy is needed.
std::optional<Layout> view_layout(Op op, const Attribute* attribute, const Shape* in_shape, const Layout& in,
                                  const Shape* out_shape);

}  // namespace lamina

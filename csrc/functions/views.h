// Public view functions: which views a call asks for. The caller applies them to a variable, so that memory is shared.
#pragma once

#include <optional>

#include "engine/variable.h"
#include "functions/axes.h"

namespace lamina::functions {

using Views = std::vector<engine::ViewSpec>;

// One -1 among the sizes is worked out. Raises "shape '[3, 5]' is invalid for input of size 6".
const Shape* infer_shape(Dims sizes, std::int64_t numel);

Views reshape_views(const Shape* shape, Dims sizes);
Views flatten_views(const Shape* shape, std::int64_t start, std::int64_t end);
Views squeeze_views(const Shape* shape, const std::optional<DimVector>& axes);
Views unsqueeze_views(const Shape* shape, std::int64_t axis);
Views permute_views(const Shape* shape, Dims axes);
Views transpose_views(const Shape* shape, std::int64_t first, std::int64_t second);
// -1 keeps a size.
Views expand_views(const Shape* shape, Dims sizes);
Views narrow_views(const Shape* shape, std::int64_t axis, std::int64_t start, std::int64_t length,
                   std::int64_t step = 1);
// `named` is the axis that an error names, if it is another.
Views select_views(const Shape* shape, std::int64_t axis, std::int64_t index, int named = -1);

// Complex numbers as floats, two for one along the last axis, or back.
Views parts_views(const Shape* shape, bool from_complex);

// The views on values, where nothing needs to be shared.
ValuePtr apply(ValuePtr x, const Views& views);

// A result that is no view: joined parts. stack: along a new axis.
ValuePtr cat(std::vector<ValuePtr> parts, std::int64_t axis);
ValuePtr stack(std::vector<ValuePtr> parts, std::int64_t axis);
ValuePtr flip(const ValuePtr& x, Dims axes);

}  // namespace lamina::functions

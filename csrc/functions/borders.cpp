// Padding with what lies within, checked.
#include "functions/borders.h"

#include <algorithm>

#include "functions/pointwise.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::functions {

namespace {

constexpr const char* kLabels[2][3] = {{"ReflectionPad1D", "ReflectionPad2D", "ReflectionPad3D"},
                                       {"ReplicationPad1D", "ReplicationPad2D", "ReplicationPad3D"}};

void check_widths(Borders borders, std::int64_t size, std::int64_t before, std::int64_t after) {
  if (borders == Borders::reflect)
    check(before < size && after < size,
          "Padding size should be less than the corresponding input dimension, but got: padding (", before, ", ", after,
          ") for a dimension of size ", size);
  else if (borders == Borders::circular)
    check(before <= size && after <= size, "Padding value causes wrapping around more than once: padding (", before,
          ", ", after, ") for size ", size);
}

}  // namespace

ValuePtr extend(const ValuePtr& x, Dims widths, Borders borders) {
  const std::size_t axes = widths.size() / 2;
  const int rank = x->shape->rank();
  check(widths.size() % 2 == 0 && axes >= 1 && axes <= 3 && static_cast<int>(axes) <= rank,
        "_extend: expected pairs of widths of the last one to three axes");
  ValuePtr source = x;
  DimVector attribute{static_cast<std::int64_t>(borders)};
  for (std::size_t i = axes; i-- > 0;) {
    const int axis = rank - 1 - static_cast<int>(i);
    std::int64_t before = widths[2 * i], after = widths[2 * i + 1], size = (*source->shape)[axis];
    check(size + before + after >= 0, "_extend: nothing is left of axis ", axis);
    check_widths(borders, size, before, after);
    if (borders == Borders::circular && (before < 0 || after < 0)) {  // what is cropped does not wrap around
      size -= std::max<std::int64_t>(-before, 0) + std::max<std::int64_t>(-after, 0);
      source = build::narrow(source, axis, std::max<std::int64_t>(-before, 0), size);
      before = std::max<std::int64_t>(before, 0), after = std::max<std::int64_t>(after, 0);
    }
    check(size > 0 || before + after <= 0, "_extend: there is nothing to extend along axis ", axis);
    attribute.push_back(before);
    attribute.push_back(after);
  }
  ValuePtr result = build::extend(source, Attribute::of(attribute));
  return borders == Borders::circular ? result : labelled(result, kLabels[static_cast<int>(borders)][axes - 1]);
}

}  // namespace lamina::functions

// What a walk keeps of a gradient that comes in parts: slices of it, or rows. They are put where they belong once all
// are known, so that a loop over slices takes no longer for each of them than it is large.
#pragma once

#include <span>

#include "graph/value.h"
#include "ops/gradient.h"

namespace lamina {

// The gradient of `value`: `whole` (null: 0) and the parts, of which there is one at least. Slices that lie side by
// side and cover all of it are joined; others are put, or added, where they lie.
ValuePtr with_parts(const Value* value, ValuePtr whole, std::span<const GradientPart> parts);

}  // namespace lamina

// Inference multiplies by the same weights again and again: their transposes are kept.
#pragma once

#include "graph/value.h"

namespace lamina::engine {

// The transpose of a realized matrix in row-major order, made at the third call and kept with the matrix's storage
// until its numbers can change. Null before, and for what is pending, a view, or open to changes from outside.
ValuePtr transposed_copy(const ValuePtr& matrix);

}  // namespace lamina::engine

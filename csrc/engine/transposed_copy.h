// Inference multiplies by the same weights again and again: their transposes are kept.
#pragma once

#include "graph/value.h"

namespace lamina::engine {

// The transpose of a realized matrix in row-major order, made at the third call and kept with the matrix's storage
// until its numbers can change. Null before, and for what is pending, a view, or open to changes from outside.
// Null, too, if there is no memory for it.
ValuePtr transposed_copy(const ValuePtr& matrix);

// Gives the memory of all copies back; also done by itself before an allocation fails.
void drop_transposed_copies();

}  // namespace lamina::engine

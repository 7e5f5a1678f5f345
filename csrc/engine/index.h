// Looking at numbers while a program is recorded: what can only be decided by data.
#pragma once

#include "graph/value.h"
#include "support/check.h"

namespace lamina::engine {

// What stands for one example of a batch (vmap) passes has_zero and checked_index; the batch is checked in its place.
// What is on meta has no numbers that could be wrong: it passes everything, but for nonzero, which raises.

// Does an integer tensor contain a 0? Reads it.
bool has_zero(const ValuePtr& integers);

// Are all numbers in [low, high]? Reads them. NaN is not.
bool all_within(const ValuePtr& x, double low, double high);

// An index tensor (any integer type) as int64 positions into an axis of `size`, negative ones counted from the end if
// `wraps`. Reads it; raises `kind` for what lies outside, naming the axis.
ValuePtr checked_index(const ValuePtr& index, std::int64_t size, int axis, bool wraps,
                       ErrorKind kind = ErrorKind::kIndex);

// Are all of these int64 numbers in [0, size), and none `excluded`? Reads them.
bool are_positions(const ValuePtr& numbers, std::int64_t size, std::int64_t excluded);

// Row-major positions of a tensor's elements that are not 0, int64, as an (n, rank) matrix. Reads it.
ValuePtr nonzero(const ValuePtr& x);

}  // namespace lamina::engine

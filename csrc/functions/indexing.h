// Public functions that address elements by index tensors.
#pragma once

#include <vector>

#include "functions/operand.h"
#include "support/check.h"

namespace lamina::functions {

ValuePtr gather(const ValuePtr& x, std::int64_t axis, const ValuePtr& index);
// source: a tensor, or a number for every place.
ValuePtr scatter(const ValuePtr& x, std::int64_t axis, const ValuePtr& index, const Operand& source, bool add);
ValuePtr index_select(const ValuePtr& x, std::int64_t axis, const ValuePtr& index);

// x with the slices that a vector of positions names along an axis replaced by source's, or added to.
ValuePtr put_slices(const ValuePtr& x, std::int64_t axis, const ValuePtr& index, const ValuePtr& source, bool add);

// Where each of `count` rows of `length` elements begins, int64.
ValuePtr row_starts(std::int64_t count, std::int64_t length, Device device);

// Advanced indexing: one entry an axis of x (null: all of that axis), broadcast against each other; a mask stands at
// the first of its axes, and chooses what is true. NumPy's rule decides where the indexed axes land in the result.
using Indices = std::vector<ValuePtr>;
ValuePtr index(const ValuePtr& x, const Indices& indices);
// x with what index(x, indices) would give replaced by `source` (broadcast), or added to.
ValuePtr index_put(const ValuePtr& x, const Indices& indices, const ValuePtr& source, bool accumulate);

// (n, axes) positions of a mask as one index an axis.
std::vector<ValuePtr> mask_to_indices(const ValuePtr& mask);

// -scores[n, classes[n], ...] for scores (C) or (N, C, ...), in the shape of `classes`, or their sum or mean. Null
// where that is not the whole story: other types or shapes, a class that is none, or one that is to be ignored.
enum class LossReduction { kNone, kSum, kMean };
ValuePtr class_loss(const ValuePtr& scores, const ValuePtr& classes, std::int64_t ignored, LossReduction reduction);

ValuePtr one_hot(const ValuePtr& classes, std::int64_t count);

}  // namespace lamina::functions

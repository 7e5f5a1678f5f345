// vmap: what was recorded for one example, recorded again for a whole batch.
//
// The function runs once, on placeholders that stand for one example (kPerExample): what it records from them is on no
// tape. Afterwards each of these values is recorded again by its op's rule, on operands with the batch as axis 0.
#pragma once

#include <span>
#include <vector>

#include "graph/value.h"
#include "ops/table.h"

namespace lamina::functions {

// One example of a batch: a placeholder with the batch's shape less axis 0.
ValuePtr example_of(const ValuePtr& batch);

// For each of `outputs`, which were recorded from `examples`: the value for the whole of `batches`, with the batch as
// axis 0; null if it depends on no example. Called when the level has ended
// (engine/examples.h).
std::vector<ValuePtr> batched(std::span<const ValuePtr> outputs, std::span<const ValuePtr> examples,
                              std::span<const ValuePtr> batches);

}  // namespace lamina::functions

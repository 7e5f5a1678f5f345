// Levels of vmap that are being recorded: within one, values that stand for one example of a batch are on no tape.
#pragma once

#include <cstdint>

#include "engine/random.h"
#include "graph/value.h"
#include "ops/table.h"

namespace lamina::engine {

// What random functions do while a function is recorded for one example: raise, draw once for all examples, or draw
// anew for each.
enum class Randomness { kError, kSame, kDifferent };

void begin_example(Randomness randomness, std::int64_t examples);
void end_example();

// Raises if `fresh`, which is one example's, would be written into something that was there before the example.
void check_stays_inside(const Value* old, const Value* fresh);

// Whether some level draws anew for each example. Raises if one does not draw at all.
bool draws_for_examples();
// In place of a random op, then: takes what all examples need from the generator, and returns a value that is drawn for
// the batch when that level has ended.
ValuePtr draw_for_examples(Op op, const Shape* shape, DType dtype, Generator& generator);
// Such a value of the level that has just ended, for its batch, whose shape is `shape`; null if `value` is none.
ValuePtr drawn_for_batch(const Value* value, const Shape* shape);

}  // namespace lamina::engine

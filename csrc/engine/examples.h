// Levels of vmap that are being recorded: within one, values that stand for one example of a batch are on no tape.
#pragma once

#include <cstdint>

#include "graph/value.h"
#include "ops/table.h"

namespace lamina::engine {

// What random functions do while a function is recorded for one example: raise, draw once for all examples, or draw
// anew for each.
enum class Randomness { kError, kSame, kDifferent };

void begin_example(Randomness randomness);
void end_example();

// Raises if `fresh`, which is one example's, would be written into something that was there before the example.
void check_stays_inside(const Value* old, const Value* fresh);

// In place of a random op: raises, or returns null if it shall be drawn as usual, or a value that is drawn for the
// whole batch when the level has ended.
ValuePtr draw_later(Op op, const Shape* shape, DType dtype);
// Is it such a value, of the level that has just ended?
bool is_drawn_later(const Value* value);

}  // namespace lamina::engine

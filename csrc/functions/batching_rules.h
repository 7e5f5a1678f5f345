// The rules by which ops are recorded for a whole batch.
#pragma once

#include "graph/value.h"
#include "ops/build.h"

namespace lamina::functions {

// An op recorded for one example, with its operands for the batch: each either has the batch as axis 0, or is the same
// for all examples.
struct Example {
  const Value* value;
  struct Operand {
    ValuePtr value;
    bool batched;
    const Shape* shape;  // for one example
  };
  std::vector<Operand> operands;
  std::int64_t size;  // of the batch

  Operand& operator[](std::size_t i) { return operands[i]; }
  // The operand with a batch axis, and ones behind it up to `rank` axes for one example.
  ValuePtr aligned(std::size_t i, int rank) const;
  // The operand for every example, spread if it is the same for all.
  ValuePtr spread(std::size_t i) const;
  const Shape* shape() const;  // of the result, for the batch
};

ValuePtr record_batch(Example& example);
const Shape* with_batch(std::int64_t size, const Shape* shape);

}  // namespace lamina::functions

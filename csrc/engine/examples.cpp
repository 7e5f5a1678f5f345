// The levels' stack.
#include "engine/examples.h"

#include <vector>

#include "ops/build.h"
#include "ops/record.h"
#include "support/check.h"

namespace lamina::engine {

namespace {

struct Level {
  Randomness randomness;
  std::int64_t examples;
  std::uint64_t start;  // what is older was there before
};
thread_local std::vector<Level> t_levels;

// The innermost of the first `count` levels that draws anew for each example, counted from 1; 0 if there is none.
std::size_t drawing_level(std::size_t count) {
  while (count && t_levels[count - 1].randomness != Randomness::kDifferent) --count;
  return count;
}

// The level is the attribute, the numbers' place in the generator's stream the operand.
ValuePtr drawn_when_ended(std::size_t level, Op op, const Shape* shape, DType dtype, ScalarBits place) {
  ValuePtr seed = make_scalar(place, DType::kInt64);
  seed->flags |= kPerExample;
  return record(op, {seed.get()}, shape, dtype, Attribute::of({static_cast<std::int64_t>(level)}));
}

}  // namespace

void begin_example(Randomness randomness, std::int64_t examples) {
  t_levels.push_back({randomness, examples, current_sequence()});
}
void end_example() { t_levels.pop_back(); }

void check_stays_inside(const Value* old, const Value* fresh) {
  if (t_levels.empty() || !fresh->has(kPerExample) || old->has(kPerExample)) return;
  check(
      old->sequence > t_levels.back().start,
      "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args "
      "that has more elements than `self`. This happened due to `other` being vmapped over but `self` not being "
      "vmapped over in a vmap. Please try to use out-of-place operators instead of inplace arithmetic.");
}

bool draws_for_examples() {
  for (const Level& level : t_levels)
    check(level.randomness != Randomness::kError,
          "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
          "randomness flags on vmap or perform the randomness operation out of vmap");
  return drawing_level(t_levels.size()) != 0;
}

ValuePtr draw_for_examples(Op op, const Shape* shape, DType dtype, Generator& generator) {
  std::int64_t count = shape->numel();
  for (const Level& level : t_levels)
    if (level.randomness == Randomness::kDifferent) count *= level.examples;
  const ScalarBits place{generator.seed, generator.advance(count)};
  return drawn_when_ended(drawing_level(t_levels.size()), op, shape, dtype, place);
}

ValuePtr drawn_for_batch(const Value* drawn, const Shape* shape) {
  if (drawn->op < kFirstOp || row(drawn->op).kernel.family != Family::kRandom) return nullptr;
  const Value* seed = drawn->inputs[0];
  if (!drawn->attribute || (*drawn->attribute)[0] != static_cast<std::int64_t>(t_levels.size()) + 1) return nullptr;
  if (const std::size_t outer = drawing_level(t_levels.size()))
    return drawn_when_ended(outer, op_of(drawn), shape, drawn->dtype, seed->scalar);
  return build::random(op_of(drawn), shape, drawn->dtype, seed->scalar.low, seed->scalar.high);
}

}  // namespace lamina::engine

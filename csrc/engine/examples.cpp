// The levels' stack.
#include "engine/examples.h"

#include <vector>

#include "ops/record.h"
#include "support/check.h"

namespace lamina::engine {

namespace {

struct Level {
  Randomness randomness;
  std::uint64_t start;  // what is older was there before
};
thread_local std::vector<Level> t_levels;

}  // namespace

void begin_example(Randomness randomness) { t_levels.push_back({randomness, current_sequence()}); }
void end_example() { t_levels.pop_back(); }

void check_stays_inside(const Value* old, const Value* fresh) {
  if (t_levels.empty() || !fresh->has(kPerExample) || old->has(kPerExample)) return;
  check(
      old->sequence > t_levels.back().start,
      "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args "
      "that has more elements than `self`. This happened due to `other` being vmapped over but `self` not being "
      "vmapped over in a vmap. Please try to use out-of-place operators instead of inplace arithmetic.");
}

ValuePtr draw_later(Op op, const Shape* shape, DType dtype) {
  if (t_levels.empty() || t_levels.back().randomness == Randomness::kSame) return nullptr;
  check(t_levels.back().randomness == Randomness::kDifferent,
        "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
        "randomness flags on vmap or perform the randomness operation out of vmap");
  ValuePtr seed = make_scalar(ScalarBits{t_levels.size(), 0}, DType::kInt64);
  seed->flags |= kPerExample;
  return record(op, {seed.get()}, shape, dtype);
}

bool is_drawn_later(const Value* value) {
  if (value->op < kFirstOp || row(value->op).kernel.family != Family::kRandom) return false;
  const Value* seed = value->inputs[0];
  return seed && seed->has(kPerExample) && seed->scalar.low == t_levels.size() + 1;
}

}  // namespace lamina::engine

// block_rows and run_row_blocks: steps over the same rows that run block by block.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "compiled_program.h"
#include "plan_memory.h"
#include "runtime/thread_pool.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using build::operator-;
using testing::Compiled;
using testing::execute;
using testing::leaf_of;
using testing::Memory;

constexpr std::int64_t kRow = 40;  // elements
constexpr BlockLimits kAnyBlock{1, 3 * kRow * 4, 1};

ValuePtr leaf(std::int64_t rows, std::int64_t columns, std::mt19937& random) {
  std::vector<float> numbers(static_cast<std::size_t>(rows * columns));
  for (float& number : numbers) number = std::uniform_real_distribution<float>(-1, 1)(random);
  return leaf_of(Shape::of({rows, columns}), DType::kFloat32, numbers);
}

ValuePtr mean(const ValuePtr& x) {
  ValuePtr count = build::number(1.0 / static_cast<double>(x->shape->dims().back()), DType::kFloat32);
  return build::sum(x, DimVector{1}, true) * count;
}

ValuePtr standardized(const ValuePtr& x) {
  ValuePtr centered = x - mean(x);
  return centered * build::unary(Op::rsqrt, mean(build::unary(Op::square, centered)));
}

const ElementwiseStep* pass(const Plan& plan, std::size_t number) {
  return std::get_if<ElementwiseStep>(&plan.steps[number]);
}

TEST(BlockRows, LayerNormIsOneChain) {
  Compiled c;
  std::mt19937 random(0);
  ValuePtr x = leaf(64, 1000, random), y = standardized(x) * leaf(1, 1000, random);
  c.read({y});
  c.finish();
  block_rows(c.plan, {64 * 4000, 10 * 8000, 64});
  ASSERT_EQ(c.plan.row_blocks.size(), 1u);
  const RowBlocks& blocks = c.plan.row_blocks[0];
  EXPECT_EQ(blocks.first, 0u);
  EXPECT_EQ(blocks.end, c.plan.steps.size());
  EXPECT_EQ(blocks.rows, 64);
  EXPECT_EQ(blocks.block, 9);  // the mean and the deviation take a little
  block_rows(c.plan, {64 * 4000 + 1, 10 * 8000, 64});
  block_rows(c.plan, {0, 10 * 8000, 65});
  EXPECT_EQ(c.plan.row_blocks.size(), 1u);  // what the cache holds, and few rows, are left as they are
}

TEST(BlockRows, WhatAllRowsMakeEndsAChain) {
  Compiled c;
  std::mt19937 random(0);
  ValuePtr x = leaf(20, kRow, random), centered = build::unary(Op::exp, x - mean(x));
  ValuePtr of_columns = build::sum(centered, DimVector{0}, true), y = standardized(centered - of_columns);
  c.read({centered, y});
  c.finish();
  block_rows(c.plan, kAnyBlock);
  EXPECT_GE(c.plan.row_blocks.size(), 2u);
  for (std::uint32_t number = 0; number < c.plan.steps.size(); ++number) {
    const auto* reduce = std::get_if<ReduceStep>(&c.plan.steps[number]);
    const auto* fused = pass(c.plan, number);
    bool of_all = (reduce && reduce->inner > 1) || (fused && !fused->reductions.empty() && fused->inner > 1);
    for (const RowBlocks& blocks : c.plan.row_blocks)
      EXPECT_FALSE(of_all && blocks.first <= number && number < blocks.end);
  }
}

TEST(BlockRows, WhatTheChainReadsAgainStaysInTheCaches) {
  Compiled c;
  std::mt19937 random(0);
  ValuePtr softmax = build::rowwise(Op::softmax, leaf(20, kRow, random)), y = standardized(softmax);
  c.read({softmax, y});
  c.finish();
  block_rows(c.plan, kAnyBlock);
  ASSERT_EQ(c.plan.row_blocks.size(), 1u);
  EXPECT_TRUE(std::get<RowwiseStep>(c.plan.steps[0]).read_soon);
  EXPECT_FALSE(pass(c.plan, c.plan.steps.size() - 1)->read_soon);
}

// Programs of rows, sums along them and down them.
void random_program(Compiled& c, unsigned seed) {
  std::mt19937 random(seed);
  std::int64_t rows = 2 + random() % 30, row = random() % 3 ? kRow : 1500;
  std::vector<ValuePtr> whole{leaf(rows, row, random), leaf(rows, row, random)};
  std::vector<ValuePtr> small{leaf(1, row, random), leaf(rows, 1, random)};
  auto any_whole = [&] {
    return whole[whole.size() - 1 - std::min<std::size_t>(random() % whole.size(), random() % 4)];
  };
  auto any_small = [&] { return small[random() % small.size()]; };
  for (int i = 0; i < 12; ++i) switch (random() % 8) {
      case 0:
        whole.push_back(any_whole() - any_small());
        break;
      case 1:
        whole.push_back(any_whole() * any_whole());
        break;
      case 2:
        whole.push_back(build::unary(Op::tanh, any_whole() * any_small()));
        break;
      case 3:
        whole.push_back(build::rowwise(random() % 2 ? Op::softmax : Op::log_softmax, any_whole()));
        break;
      case 4:
        small.push_back(build::sum(any_whole(), DimVector{0}, true));
        break;
      case 5:
        small.push_back(build::reduce(Op::amax, build::unary(Op::square, any_whole()), DimVector{1}, true));
        break;
      default:
        small.push_back(mean(any_whole()));
    }
  c.liveness.live.assign(c.tape.recording().values.size(), false);
  c.liveness.dying.assign(c.tape.recording().inputs.size(), false);
  for (const auto& values : {whole, small})
    for (const ValuePtr& value : values)
      if (!value->storage && random() % 3 == 0) c.liveness.live[value->slot] = true;
  if (!whole.back()->storage) c.liveness.live[whole.back()->slot] = true;
  for (std::size_t i = 0; i < c.liveness.dying.size(); ++i) c.liveness.dying[i] = random() % 2;
  c.program = read_trace(c.tape.recording().trace, c.liveness);
  c.finish();
}

TEST(RunRowBlocks, ChangeNoBit) {
  int before = runtime::num_threads();
  std::size_t chains = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    Compiled c;
    random_program(c, seed);
    Memory expected(c.plan, c.tape.recording());
    execute(c.plan, expected.slots());
    block_rows(c.plan, kAnyBlock);
    chains += c.plan.row_blocks.size();
    runtime::set_num_threads(1 + static_cast<int>(seed % 3));
    Memory got(c.plan, c.tape.recording());
    execute(c.plan, got.slots());
    ASSERT_TRUE(got.same_results(expected)) << "seed " << seed;
  }
  EXPECT_GT(chains, 100u);
  runtime::set_num_threads(before);
}

}  // namespace
}  // namespace lamina

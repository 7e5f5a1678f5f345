// The passes one by one: what each does to small programs, and what it refuses. Whole programs: test_execute.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <variant>

#include "compile/passes.h"
#include "compile/plan_cache.h"
#include "graph/tape.h"
#include "recorded_values.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using testing::range;

// Records a program on a tape of its own and takes it through the passes.
struct Compiled {
  Tape tape;
  TapeGuard guard{tape};
  Liveness liveness;
  Program program;
  std::vector<std::vector<std::uint32_t>> groups;
  Plan plan;

  // live: what is looked at afterwards; dying: inputs whose memory nobody needs any more.
  void read(std::initializer_list<ValuePtr> live, std::initializer_list<ValuePtr> dying = {}) {
    const Recording& recording = tape.recording();
    liveness.live.assign(recording.values.size(), false);
    liveness.dying.assign(recording.inputs.size(), false);
    for (const ValuePtr& value : live) liveness.live[value->slot] = true;
    for (const ValuePtr& value : dying) liveness.dying[value->slot] = true;
    program = read_trace(recording.trace, liveness);
  }
  void fuse() {
    drop_dead_values(program);
    resolve_views(program);
    fuse_epilogues(program);
    groups = fuse_elementwise(program);
  }
  void finish() {
    fuse();
    emit_steps(program, groups, plan);
    assign_memory(program, plan);
  }
  std::uint32_t number(const ValuePtr& value) const {
    for (std::uint32_t i = 0; i < program.nodes.size(); ++i)
      if (program.nodes[i].kind == Node::Kind::kOp && program.nodes[i].slot == value->slot) return i;
    return kNone;
  }
  const Node& node(const ValuePtr& value) const { return program[number(value)]; }
  template <typename Step>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(plan.steps.begin(), plan.steps.end(), [](const auto& step) {
      return std::holds_alternative<Step>(step);
    }));
  }
};

TEST(ReadTrace, NodesAreTheRecordedProgram) {
  Compiled c;
  ValuePtr x = range({2, 3});
  ValuePtr y = build::sum(x * 2.0, DimVector{1}, false);
  c.read({y});
  ASSERT_EQ(c.program.nodes.size(), 4u);
  EXPECT_EQ(c.program.inputs, 1u);
  EXPECT_EQ(c.program.scalars, 1u);
  EXPECT_EQ(c.program.values, 2u);
  EXPECT_TRUE(c.program[2].is_op(Op::mul));
  EXPECT_EQ(c.program[2].operands, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_TRUE(c.program[3].is_op(Op::sum));
  EXPECT_EQ(c.program[3].attribute, Attribute::of({1}));
  EXPECT_TRUE(c.program[3].live);
  EXPECT_NE(to_string(c.program).find("%3 = sum[1] %2 : float32[2] live"), std::string::npos) << to_string(c.program);
}

TEST(DropDeadValues, OnlyWhatLiveValuesNeedIsKept) {
  Compiled c;
  ValuePtr x = range({2});
  ValuePtr needed = build::exp(x), dead = build::log(x), deader = build::neg(dead), live = needed + needed;
  c.read({live});
  drop_dead_values(c.program);
  EXPECT_TRUE(c.node(live).needed);
  EXPECT_TRUE(c.node(needed).needed);
  EXPECT_FALSE(c.node(dead).needed);
  EXPECT_FALSE(c.node(deader).needed);
  EXPECT_EQ(c.node(needed).uses, 2u);
  EXPECT_EQ(c.program[0].uses, 1u);  // by exp; the dead log does not count
}

TEST(DropDeadValues, HistoryIsNotComputed) {
  Compiled c;
  ValuePtr x = range({2}), history = build::exp(x), numbers = build::neg(x);
  ValuePtr both = build::rebase(numbers, history);
  c.read({both});
  drop_dead_values(c.program);
  EXPECT_TRUE(c.node(numbers).needed);
  EXPECT_FALSE(c.node(history).needed);
}

TEST(ResolveViews, ViewsShareTheirOperandsMemory) {
  Compiled c;
  ValuePtr x = build::exp(range({2, 3}));
  ValuePtr turned = build::swap_axes(x, 0, 1), part = build::narrow(turned, 0, 1, 2), copied = build::reshape(part, Shape::of({4}));
  c.read({part, copied});
  drop_dead_values(c.program);
  resolve_views(c.program);
  EXPECT_EQ(c.node(turned).owner, c.number(x));
  EXPECT_EQ(c.node(part).owner, c.number(x));
  EXPECT_EQ(c.node(part).layout.offset, 1);
  EXPECT_EQ(c.node(part).layout.strides, Attribute::of({1, 3}));
  EXPECT_EQ(c.node(copied).owner, c.number(copied));  // strides cannot say it
}

TEST(ResolveViews, LivePartOfASpreadNumberIsACopyOfItsOwnSize) {
  Compiled c;
  ValuePtr spread = build::full(Shape::of({100, 4}), 7, DType::kFloat32);
  ValuePtr part = build::narrow(spread, 0, 3, 2);
  c.read({part});
  c.finish();
  ASSERT_EQ(c.count<CopyStep>(), 1u);
  std::int64_t copied = 1;
  for (std::int64_t size : std::get<CopyStep>(c.plan.steps[0]).dims) copied *= size;
  EXPECT_EQ(copied, 8);
  EXPECT_EQ(c.plan.output_bytes, (std::vector<std::size_t>{32}));
}

class FuseEpilogues : public ::testing::Test {
 protected:
  Compiled c;
  ValuePtr a = range({2, 3}), b = range({3, 4}), bias = range({4});

  const MatmulStep& only_step() {
    EXPECT_EQ(c.plan.steps.size(), 1u);
    return std::get<MatmulStep>(c.plan.steps.front());
  }
};

TEST_F(FuseEpilogues, BiasAndReluJoinTheProduct) {
  ValuePtr y = build::relu(build::matmul(a, b) + bias);
  c.read({y});
  c.finish();
  EXPECT_TRUE(only_step().has_bias);
  EXPECT_TRUE(only_step().relu);
}

TEST_F(FuseEpilogues, BiasOnTheLeftJoinsToo) {
  ValuePtr y = bias + build::matmul(a, b);
  c.read({y});
  c.finish();
  EXPECT_TRUE(only_step().has_bias);
  EXPECT_FALSE(only_step().relu);
}

TEST_F(FuseEpilogues, LiveProductIsLeftAlone) {
  ValuePtr product = build::matmul(a, b), y = product + bias;
  c.read({product, y});
  c.finish();
  EXPECT_EQ(c.count<MatmulStep>(), 1u);
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
  EXPECT_EQ(c.node(y).bias, kNone);
}

TEST_F(FuseEpilogues, ProductReadTwiceIsLeftAlone) {
  ValuePtr product = build::matmul(a, b);
  ValuePtr y = (product + bias) * product;
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<MatmulStep>(), 1u);
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
}

TEST_F(FuseEpilogues, ProductAddedToItselfIsLeftAlone) {
  ValuePtr product = build::matmul(a, b), y = product + product;
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
}

TEST_F(FuseEpilogues, OtherAddendsAreNoBias) {
  ValuePtr column = range({2, 1}), strided = build::narrow(range({8}), 0, 0, 4, 2), wide = range({5, 2, 4});
  ValuePtr one = build::matmul(a, b) + column, two = build::matmul(a, b) + strided, three = build::matmul(a, b) + wide;
  c.read({one, two, three});
  c.finish();
  EXPECT_EQ(c.count<MatmulStep>(), 3u);
  EXPECT_EQ(c.count<ElementwiseStep>(), 3u);
}

TEST_F(FuseEpilogues, BiasAfterReluIsNotFused) {
  ValuePtr y = build::relu(build::matmul(a, b)) + bias;
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
  EXPECT_TRUE(std::get<MatmulStep>(c.plan.steps.front()).relu);
  EXPECT_FALSE(std::get<MatmulStep>(c.plan.steps.front()).has_bias);
}

TEST_F(FuseEpilogues, OnlyOneBiasJoins) {
  ValuePtr y = build::matmul(a, b) + bias + bias;
  c.read({y});
  c.finish();
  EXPECT_EQ(c.count<MatmulStep>(), 1u);
  EXPECT_EQ(c.count<ElementwiseStep>(), 1u);
}

TEST_F(FuseEpilogues, IntegerProductsHaveNoEpilogue) {
  ValuePtr whole = build::cast(a, DType::kInt64), other = build::cast(b, DType::kInt64);
  ValuePtr y = build::relu(build::matmul(whole, other));
  c.read({y});
  c.fuse();
  EXPECT_FALSE(c.node(y).relu);
}

TEST(FuseElementwise, ChainIsOneGroupAndStoresOnlyItsResult) {
  Compiled c;
  ValuePtr x = range({4});
  ValuePtr y = build::exp(x), z = y * y, w = build::relu(z + x);
  c.read({w});
  c.finish();
  ASSERT_EQ(c.groups.size(), 1u);
  EXPECT_EQ(c.groups[0].size(), 4u);
  ASSERT_EQ(c.plan.steps.size(), 1u);
  EXPECT_EQ(c.plan.arena_bytes, 0u);
  EXPECT_EQ(c.plan.output_bytes.size(), 1u);
}

TEST(FuseElementwise, SeparateBranchesMerge) {
  Compiled c;
  ValuePtr left = build::exp(range({4})), right = build::neg(range({4}));
  ValuePtr joined = left + right;
  c.read({joined});
  c.fuse();
  ASSERT_EQ(c.groups.size(), 1u);
  EXPECT_EQ(c.groups[0], (std::vector<std::uint32_t>{c.number(left), c.number(right), c.number(joined)}));
}

TEST(FuseElementwise, OtherSpacesAreOtherGroups) {
  Compiled c;
  ValuePtr row = build::exp(range({4})), matrix = range({3, 4}) + row;
  c.read({matrix});
  c.fuse();
  EXPECT_EQ(c.groups.size(), 2u);
  EXPECT_NE(c.node(row).group, c.node(matrix).group);
}

// sum reads y before z is made: a group with both would run after sum.
TEST(FuseElementwise, GroupReadFromOutsideIsClosed) {
  Compiled c;
  ValuePtr x = range({4});
  ValuePtr y = build::exp(x);
  ValuePtr total = build::sum_all(y);
  ValuePtr z = y * total;
  c.read({z});
  c.finish();
  EXPECT_NE(c.node(y).group, c.node(z).group);
  ASSERT_EQ(c.plan.steps.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<ReduceStep>(c.plan.steps[1]));
}

TEST(FuseElementwise, OperandSeenThroughAViewMustBeInMemoryFirst) {
  Compiled c;
  ValuePtr y = build::exp(range({3, 3}));
  ValuePtr z = y + build::swap_axes(y, 0, 1);
  c.read({z});
  c.finish();
  EXPECT_NE(c.node(y).group, c.node(z).group);
  EXPECT_EQ(c.count<ElementwiseStep>(), 2u);
}

TEST(FuseElementwise, EveryGroupComesAfterWhatItReads) {
  Compiled c;
  ValuePtr x = range({4});
  ValuePtr a = build::exp(x), b = build::neg(x);
  ValuePtr through_a = build::cat(std::vector<ValuePtr>{a, a}, 0);
  ValuePtr c1 = a + b, d = build::narrow(through_a, 0, 2, 4) * b;
  ValuePtr e = c1 + d;
  c.read({e});
  c.fuse();
  for (std::uint32_t index = 0; index < c.program.nodes.size(); ++index) {
    const Node& node = c.program[index];
    if (node.kind != Node::Kind::kOp || !node.needed || node.owner != index) continue;
    std::uint32_t runs_at = node.group == kNone ? index : c.groups[node.group].back();
    for (std::uint32_t operand : node.operands) {
      const Node& source = c.program[c.program[operand].owner];
      if (source.kind != Node::Kind::kOp || source.group == node.group) continue;
      std::uint32_t ready_at = source.group == kNone ? c.program[operand].owner : c.groups[source.group].back();
      EXPECT_LT(ready_at, runs_at) << to_string(c.program);
    }
  }
}

TEST(FuseElementwise, GroupsAreLimited) {
  Compiled c;
  ValuePtr y = range({4});
  for (int i = 0; i < 500; ++i) y = build::neg(y);
  c.read({y});
  c.fuse();
  std::size_t members = 0;
  for (const auto& group : c.groups) {
    EXPECT_LE(group.size(), 64u);
    members += group.size();
  }
  EXPECT_EQ(members, 500u);
}

class ReuseDyingMemory : public ::testing::Test {
 protected:
  Compiled c;
  ValuePtr x = range({8}), other = range({8});

  bool reuses(const ValuePtr& result) {
    for (const Program::Result& entry : c.program.results)
      if (entry.value == result->slot) return entry.memory < c.plan.first_scalar();
    ADD_FAILURE() << "no result";
    return false;
  }
};

TEST_F(ReuseDyingMemory, UpdateGoesOverTheDyingInput) {
  ValuePtr y = x + other * 0.5;
  c.read({y}, {x});
  c.finish();
  EXPECT_TRUE(reuses(y));
  EXPECT_EQ(c.plan.output_bytes.size(), 0u);
}

TEST_F(ReuseDyingMemory, LivingInputIsNotOverwritten) {
  ValuePtr y = x + other;
  c.read({y});
  c.finish();
  EXPECT_FALSE(reuses(y));
}

TEST_F(ReuseDyingMemory, InputReadLaterIsNotOverwritten) {
  ValuePtr y = build::neg(x);
  ValuePtr total = build::sum_all(y);
  ValuePtr z = x * total;
  c.read({y, z}, {x});
  c.finish();
  EXPECT_FALSE(reuses(y));
  EXPECT_TRUE(reuses(z));
}

TEST_F(ReuseDyingMemory, InputReadAfterTheResultIsWrittenIsNotOverwritten) {
  ValuePtr first = build::neg(x), second = first * x;  // one pass: first is stored before x is read again
  c.read({first, second}, {x});
  c.finish();
  ASSERT_EQ(c.plan.steps.size(), 1u);
  EXPECT_FALSE(reuses(first));
  EXPECT_TRUE(reuses(second));
}

TEST_F(ReuseDyingMemory, MemoryReadInAnotherOrderIsNotOverwritten) {
  ValuePtr y = build::neg(x);  // takes x's memory
  ValuePtr turned = y + build::flip(y, 0);
  c.read({turned}, {x});
  c.finish();
  EXPECT_FALSE(reuses(turned));
  Compiled d;
  ValuePtr z = build::neg(x);
  ValuePtr total = build::sum_all(z), scaled = z * total;  // in order: over z, and so over x
  d.read({scaled}, {x});
  d.finish();
  EXPECT_LT(d.program.results[0].memory, d.plan.first_scalar());
}

TEST_F(ReuseDyingMemory, OtherElementSizeIsNotOverwritten) {
  ValuePtr y = build::cast(x, DType::kFloat64);
  c.read({y}, {x});
  c.finish();
  EXPECT_FALSE(reuses(y));
}

TEST_F(ReuseDyingMemory, BroadcastInputIsNotOverwritten) {
  ValuePtr y = range({3, 8}) + x;
  c.read({y}, {x});
  c.finish();
  EXPECT_FALSE(reuses(y));
}

TEST_F(ReuseDyingMemory, InputWithALiveViewIsNotOverwritten) {
  ValuePtr y = build::neg(x), part = record(Op::reshape, {y.get()}, Shape::of({2, 4}), y->dtype);
  ValuePtr z = build::exp(build::reshape(part, Shape::of({8})));
  c.read({part, z}, {x});
  c.finish();
  EXPECT_TRUE(reuses(part));  // y took x's memory
  EXPECT_FALSE(reuses(z));    // and keeps it
}

TEST_F(ReuseDyingMemory, OneInputServesOneResult) {
  ValuePtr first = build::neg(x), second = build::exp(x);
  c.read({first, second}, {x});
  c.finish();
  EXPECT_FALSE(reuses(first) && reuses(second));
}

TEST(AssignMemory, TemporariesTakeTurns) {
  Compiled c;
  ValuePtr y = range({64, 64});
  for (int i = 0; i < 20; ++i) y = build::matmul(y, y);
  c.read({y});
  c.finish();
  EXPECT_EQ(c.plan.arena_bytes, 2u * 64 * 64 * 4);  // the one read and the one written
}

TEST(AssignMemory, ArenaPlacesAreAligned) {
  Compiled c;
  ValuePtr x = range({3, 5});
  ValuePtr y = x;
  for (int i = 0; i < 5; ++i) y = build::matmul(build::matmul(y, y, true, false), y, false, true);
  ValuePtr total = build::sum_all(y);
  c.read({total});
  c.finish();
  for (const Step& step : c.plan.steps)
    if (const auto* product = std::get_if<MatmulStep>(&step)) {
      EXPECT_TRUE(product->c.slot != 0 || product->c.offset % 64 == 0) << product->c.offset;
    }
}

TEST(AssignMemory, LiveViewOfAnInputIsThatInput) {
  Compiled c;
  ValuePtr y = build::exp(range({2, 3}));
  ValuePtr turned = build::swap_axes(y, 0, 1);
  c.read({y, turned});
  c.finish();
  ASSERT_EQ(c.program.results.size(), 2u);
  EXPECT_EQ(c.program.results[0].memory, c.program.results[1].memory);
  EXPECT_EQ(c.program.results[1].layout.strides, Attribute::of({1, 3}));
  EXPECT_EQ(c.plan.output_bytes.size(), 1u);
}

TEST(Compile, DumpNamesThePasses) {
  Compiled c;
  ValuePtr y = build::relu(range({2}));
  c.read({y});
  std::string dumps;
  CompiledPlan compiled = compile(c.tape.recording().trace, c.liveness, &dumps);
  EXPECT_EQ(compiled.plan.steps.size(), 1u);
  for (const char* pass : {"drop_dead_values", "resolve_views", "fuse_epilogues"})
    EXPECT_NE(dumps.find(std::string("after ") + pass), std::string::npos) << dumps;
}

}  // namespace
}  // namespace lamina

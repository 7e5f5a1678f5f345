// The passes before fusion, one by one. Whole programs: test_execute.cpp.
#include <gtest/gtest.h>

#include "compiled_program.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using testing::Compiled;
using testing::range;

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
  EXPECT_EQ(c.program[2].operands, (NodeVector{0, 1}));
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
  ValuePtr turned = build::swap_axes(x, 0, 1), part = build::narrow(turned, 0, 1, 2),
           copied = build::reshape(part, Shape::of({4}));
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

TEST(Compile, DumpNamesThePasses) {
  Compiled c;
  ValuePtr y = build::relu(range({2}));
  c.read({y});
  CompileReport report;
  report.module_of = [](std::uint32_t) { return ""; };
  CompiledPlan compiled = compile(c.tape.recording().trace, c.liveness, &report);
  EXPECT_EQ(compiled.plan.steps.size(), 1u);
  for (const char* pass : {"drop_dead_values", "resolve_views", "fuse_epilogues"})
    EXPECT_NE(report.passes.find(std::string("after ") + pass), std::string::npos) << report.passes;
  EXPECT_NE(report.explanation.find("relu"), std::string::npos) << report.explanation;
}

}  // namespace
}  // namespace lamina

// The trace: equal for equal programs, different for everything a plan depends on.
#include <gtest/gtest.h>

#include <vector>

#include "graph/tape.h"
#include "recorded_values.h"

namespace lamina {
namespace {

using build::operator*;
using build::operator+;
using testing::leaf;
using testing::range;

struct Trace {
  std::vector<std::uint64_t> words;
  std::uint64_t hash;
  bool operator==(const Trace&) const = default;
};

// What `program` records on a tape of its own.
template <typename Program>
Trace trace_of(Program program) {
  Tape tape;
  TapeGuard guard(tape);
  auto kept = program();
  return {tape.recording().trace, tape.recording().hash};
}

TEST(Tape, EqualProgramsHaveEqualTraces) {
  auto program = [](float first, double factor) {
    return [=] {
      ValuePtr x = leaf({2}, {first, 1});
      return build::relu(x * factor + x);
    };
  };
  EXPECT_EQ(trace_of(program(1, 2.0)), trace_of(program(5, -7.5)));  // neither numbers nor scalars are part of it
}

TEST(Tape, EverythingAPlanDependsOnDiffers) {
  auto unary = [](Op op, const ValuePtr& x) { return trace_of([&] { return build::unary(op, x); }); };
  auto sum = [](const DimVector& axes, bool keepdim) {
    return trace_of([&] { return build::sum(range({2, 2}), axes, keepdim); });
  };
  EXPECT_NE(unary(Op::exp, range({2})), unary(Op::log, range({2})));
  EXPECT_NE(unary(Op::exp, range({2})), unary(Op::exp, range({3})));
  EXPECT_NE(unary(Op::exp, range({2})), unary(Op::exp, range({2, 1})));
  EXPECT_NE(unary(Op::abs, range({2})),
            unary(Op::abs, testing::leaf_of(Shape::of({2}), DType::kInt32, std::vector<std::int32_t>{1, 2})));
  EXPECT_NE(sum({0}, false), sum({1}, false));
  EXPECT_NE(sum({0}, false), sum({0}, true));
  // A strided input reads its memory otherwise.
  ValuePtr square = range({2, 2});
  EXPECT_NE(unary(Op::exp, square), unary(Op::exp, build::swap_axes(square, 0, 1)));
}

TEST(Tape, OperandOrderAndSharingMatter) {
  ValuePtr a = range({2}), b = range({2});
  auto sub = [](const ValuePtr& x, const ValuePtr& y) { return trace_of([&] { return build::sub(x, y); }); };
  EXPECT_EQ(sub(a, b), sub(b, a));  // renaming
  EXPECT_NE(sub(a, b), sub(a, a));
  auto after_sum = [&](bool swapped) {
    return trace_of([&] {
      ValuePtr sum = build::add(a, b);
      return swapped ? build::sub(sum, a) : build::sub(a, sum);
    });
  };
  EXPECT_NE(after_sum(false), after_sum(true));
}

TEST(Tape, EntriesAreEncodedAsDocumented) {
  Tape tape;
  TapeGuard guard(tape);
  ValuePtr x = range({3});
  ValuePtr y = x * 2.0;
  const auto& trace = tape.recording().trace;
  ASSERT_EQ(trace.size(), 3u + 1u + 4u);  // an input, a scalar, an op with two operands
  EXPECT_EQ(trace[0], std::uint64_t{kLeaf} | std::uint64_t{index_of(DType::kFloat32)} << 16);
  EXPECT_EQ(trace[1], reinterpret_cast<std::uintptr_t>(Shape::of({3})));
  EXPECT_EQ(trace[2], 0u);
  EXPECT_EQ(trace[3] & 0xFFFF, std::uint64_t{kScalar});
  EXPECT_EQ(trace[4] & 0xFFFF, static_cast<std::uint64_t>(Op::mul));
  EXPECT_EQ(trace[4] >> 32, 2u);
  auto first = OperandRef::decode(static_cast<std::uint32_t>(trace[7]));
  auto second = OperandRef::decode(static_cast<std::uint32_t>(trace[7] >> 32));
  EXPECT_EQ(first.kind, OperandKind::kInput);
  EXPECT_EQ(first.slot, 0u);
  EXPECT_EQ(second.kind, OperandKind::kScalar);
  EXPECT_EQ(second.slot, 0u);
  EXPECT_EQ(tape.recording().bytes, 12);
}

TEST(Tape, OperandReferencesSurviveEncoding) {
  for (auto kind : {OperandKind::kValue, OperandKind::kInput, OperandKind::kScalar})
    for (std::uint32_t slot : {0u, 1u, 1000u, (1u << 30) - 1}) {
      OperandRef back = OperandRef::decode(OperandRef{kind, slot}.encode());
      EXPECT_EQ(back.kind, kind);
      EXPECT_EQ(back.slot, slot);
    }
}

TEST(Tape, ManyOperandsAreEncodedInOrder) {
  Tape tape;
  TapeGuard guard(tape);
  for (std::size_t count = 1; count <= 9; ++count) {
    std::vector<ValuePtr> parts;
    for (std::size_t i = 0; i < count; ++i) parts.push_back(range({1}));
    ValuePtr joined = build::cat(parts, 0);
    const auto& trace = tape.recording().trace;
    std::size_t words = (count + 1) / 2, at = trace.size() - words;
    ASSERT_EQ(trace[at - 3] >> 32, count);
    for (std::size_t i = 0; i < count; ++i) {
      auto operand = OperandRef::decode(static_cast<std::uint32_t>(trace[at + i / 2] >> (i % 2 ? 32 : 0)));
      ASSERT_EQ(operand.kind, OperandKind::kInput);
      ASSERT_EQ(tape.recording().inputs[operand.slot].get(), parts[i].get());
    }
  }
}

TEST(Tape, AnInputIsListedOnce) {
  Tape tape;
  TapeGuard guard(tape);
  ValuePtr x = range({2});
  ValuePtr y = x * x + x;
  EXPECT_EQ(tape.recording().inputs.size(), 1u);
  EXPECT_EQ(tape.recording().values.size(), 2u);
  EXPECT_TRUE(tape.is_pending(y.get()));
  EXPECT_FALSE(tape.is_pending(x.get()));
}

TEST(Tape, TakenRecordingLeavesAnEmptyTape) {
  Tape tape;
  TapeGuard guard(tape);
  ValuePtr x = range({2});
  ValuePtr y = build::neg(x);
  Recording taken;
  tape.take(taken);
  EXPECT_EQ(taken.values.size(), 1u);
  EXPECT_TRUE(tape.recording().values.empty());
  EXPECT_TRUE(tape.recording().trace.empty());
  EXPECT_EQ(tape.recording().hash, 0u);
  EXPECT_FALSE(tape.is_pending(y.get()));
  // x is an input of the next recording anew.
  ValuePtr z = build::neg(x);
  EXPECT_EQ(tape.recording().trace, taken.trace);
}

TEST(Tape, ValueOfAnEndedShapeOnlyRunIsRefused) {
  ValuePtr lost;
  {
    Tape tape;
    TapeGuard guard(tape);
    lost = build::neg(range({2, 5}));
  }
  std::string message = testing::error_of([&] { build::neg(lost); });
  EXPECT_TRUE(testing::contains(message, "shape-only run, which has ended (shape (2, 5))")) << message;
}

TEST(Tape, GuardsNest) {
  Tape* outermost = &Tape::current();
  EXPECT_EQ(outermost, &Tape::main());
  Tape first, second;
  {
    TapeGuard one(first);
    {
      TapeGuard two(second);
      EXPECT_EQ(&Tape::current(), &second);
    }
    EXPECT_EQ(&Tape::current(), &first);
  }
  EXPECT_EQ(&Tape::current(), outermost);
}

}  // namespace
}  // namespace lamina

// Reference counts, iterative freeing, and what a fresh value looks like.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "graph/value.h"
#include "runtime/buffer.h"

namespace lamina {
namespace {

constexpr OpId kSomeOp = kFirstOp;

ValuePtr node(std::initializer_list<Value*> inputs) {
  return make_value(kSomeOp, {inputs.begin(), inputs.size()}, Shape::of({2}), DType::kFloat32, nullptr);
}

TEST(Value, FreshValueHasOneReferenceAndNoFlags) {
  ValuePtr value = node({});
  EXPECT_EQ(value->references, 1u);
  EXPECT_EQ(value->flags, 0);
  EXPECT_FALSE(value->is_realized());
  EXPECT_TRUE(value->is_leaf());
  EXPECT_FALSE(value->requires_grad());
  EXPECT_EQ(value->leaf, nullptr);
  EXPECT_EQ(value->layout.strides, nullptr);
}

TEST(Value, InputsAreRetainedAndReleased) {
  std::int64_t before = live_value_count();
  ValuePtr a = node({}), b = node({});
  {
    ValuePtr c = node({a.get(), b.get(), a.get()});
    EXPECT_EQ(a->references, 3u);
    EXPECT_EQ(b->references, 2u);
    EXPECT_EQ(c->input_count, 3);
    EXPECT_EQ(live_value_count(), before + 3);
  }
  EXPECT_EQ(a->references, 1u);
  EXPECT_EQ(b->references, 1u);
  EXPECT_EQ(live_value_count(), before + 2);
}

TEST(Value, CopiesAndMovesOfPointersCount) {
  ValuePtr a = node({});
  ValuePtr copy = a;
  EXPECT_EQ(a->references, 2u);
  ValuePtr moved = std::move(copy);
  EXPECT_EQ(a->references, 2u);
  EXPECT_FALSE(copy);
  ValuePtr& same = moved;
  moved = same;
  EXPECT_EQ(a->references, 2u);
  moved.reset();
  EXPECT_EQ(a->references, 1u);
}

TEST(Value, MillionDeepChainIsFreedWithoutRecursion) {
  std::int64_t before = live_value_count();
  ValuePtr last = node({});
  for (int i = 1; i < 1'000'000; ++i) last = node({last.get()});
  EXPECT_EQ(live_value_count(), before + 1'000'000);
  last.reset();
  EXPECT_EQ(live_value_count(), before);
}

TEST(Value, DroppingInputsFreesTheChainBelow) {
  std::int64_t before = live_value_count();
  ValuePtr last = node({});
  for (int i = 1; i < 300'000; ++i) last = node({last.get(), last.get()});
  drop_inputs(last.get());
  EXPECT_EQ(live_value_count(), before + 1);
  for (Value* input : last->operands()) EXPECT_EQ(input, nullptr);
  drop_inputs(last.get());  // again does nothing
  last.reset();
  EXPECT_EQ(live_value_count(), before);
}

TEST(Value, SharedPartOfAFreedGraphStays) {
  ValuePtr shared = node({});
  ValuePtr middle = node({shared.get()});
  ValuePtr top = node({middle.get(), shared.get()});
  middle.reset();
  std::int64_t before = live_value_count();
  top.reset();
  EXPECT_EQ(live_value_count(), before - 2);
  EXPECT_EQ(shared->references, 1u);
}

TEST(Value, ManyInputsAreAllKept) {
  std::int64_t before = live_value_count();
  std::vector<ValuePtr> inputs;
  std::vector<Value*> raw;
  for (int i = 0; i < 100; ++i) {
    inputs.push_back(node({}));
    raw.push_back(inputs.back().get());
  }
  for (std::size_t count : {3u, 4u, 5u, 100u}) {
    ValuePtr wide =
        make_value(kSomeOp, std::span<Value* const>(raw).first(count), Shape::scalar(), DType::kFloat32, nullptr);
    ASSERT_EQ(wide->operands().size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(wide->inputs[i], raw[i]);
  }
  inputs.clear();
  EXPECT_EQ(live_value_count(), before);
}

TEST(Value, MemoryIsReusedWithoutOldContents) {
  for (int round = 0; round < 3; ++round) {
    std::vector<ValuePtr> values;
    for (int i = 0; i < 600; ++i) {
      values.push_back(node({}));
      ASSERT_EQ(values.back()->flags, 0);
      ASSERT_EQ(values.back()->epoch, 0u);
      values.back()->flags = kRequiresGrad | kOverwritten;
      values.back()->epoch = 77;
      values.back()->overwritten_at = 5;
    }
  }
}

TEST(Value, SequenceGrows) {
  ValuePtr a = node({}), b = node({});
  EXPECT_LT(a->sequence, b->sequence);
  EXPECT_EQ(b->sequence, current_sequence());
}

TEST(Value, ScalarsTakeTheirTypesBits) {
  double number;
  ValuePtr real = make_scalar(std::int64_t{3}, DType::kFloat64);
  std::memcpy(&number, &real->scalar.low, sizeof number);
  EXPECT_EQ(number, 3.0);
  EXPECT_EQ(make_scalar(-2.7, DType::kInt64)->scalar.low, static_cast<std::uint64_t>(-2));
  EXPECT_EQ(make_scalar(2.5, DType::kFloat32)->shape, Shape::scalar());
}

TEST(Value, StorageAndLeafAreOwned) {
  StoragePtr storage = runtime::allocate(8);
  LeafPtr state = LeafPtr::adopt(new LeafState);
  {
    ValuePtr value = make_leaf(storage, Shape::of({2}), DType::kFloat32);
    attach_leaf(value.get(), state);
    attach_hooks(value.get(), state);
    EXPECT_FALSE(value->has(kHasHooks));  // a state is no hook yet
    EXPECT_EQ(storage->references, 2u);
    EXPECT_EQ(state->references, 3u);
    attach_storage(value.get(), storage);  // the same again
    EXPECT_EQ(storage->references, 2u);
  }
  EXPECT_EQ(storage->references, 1u);
  EXPECT_EQ(state->references, 1u);
}

}  // namespace
}  // namespace lamina

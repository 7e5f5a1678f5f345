// Stride arithmetic against an enumeration of every element.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "ops/view_layout.h"

namespace lamina {
namespace {

// The memory position of each element in row-major order.
std::vector<std::int64_t> positions(const Shape* shape, const Layout& layout) {
  DimVector strides = strides_of(shape, layout);
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < shape->numel(); ++i) {
    std::int64_t rest = i, place = layout.offset;
    for (int axis = shape->rank(); axis-- > 0;) {
      place += rest % (*shape)[axis] * strides[static_cast<std::size_t>(axis)];
      rest /= (*shape)[axis];
    }
    result.push_back(place);
  }
  return result;
}

// Is there any layout of `shape` whose elements lie at `wanted`? Strides follow from the first steps along each axis.
bool is_expressible(const Shape* shape, const std::vector<std::int64_t>& wanted) {
  if (wanted.empty()) return true;
  DimVector strides(shape->dims().size()), order = contiguous_strides(shape);
  for (std::size_t axis = 0; axis < strides.size(); ++axis)
    if (shape->dims()[axis] > 1) strides[axis] = wanted[static_cast<std::size_t>(order[axis])] - wanted[0];
  Layout layout{wanted[0], strides.empty() ? nullptr : Attribute::of(strides)};
  return positions(shape, layout) == wanted;
}

Layout layout_of(const Shape* shape, const DimVector& strides, std::int64_t offset = 0) {
  return {offset, strides_attribute(shape, strides)};
}

void expect_reshape(const Shape* from, const Layout& in, const Shape* to) {
  auto wanted = positions(from, in);
  auto result = view_layout(Op::reshape, nullptr, from, in, to);
  std::string what =
      to_string(from->dims()) + " strides " + to_string(strides_of(from, in)) + " to " + to_string(to->dims());
  ASSERT_EQ(result.has_value(), is_expressible(to, wanted)) << what;
  if (result) {
    ASSERT_EQ(positions(to, *result), wanted) << what;
  }
}

TEST(ViewLayout, NullStridesMeanRowMajor) {
  EXPECT_EQ(strides_of(Shape::of({2, 3, 4}), {}), (DimVector{12, 4, 1}));
  EXPECT_EQ(strides_attribute(Shape::of({2, 3}), DimVector{3, 1}), nullptr);
  EXPECT_EQ(strides_attribute(Shape::of({1, 3}), DimVector{77, 1}), nullptr);  // a single row lies as it likes
  EXPECT_EQ(strides_attribute(Shape::of({0, 3}), DimVector{5, 5}), nullptr);
  EXPECT_EQ(strides_attribute(Shape::of({2, 3}), DimVector{1, 2}), Attribute::of({1, 2}));
}

TEST(ViewLayout, ReshapeOfContiguousKeepsTheOffset) {
  auto result = view_layout(Op::reshape, nullptr, Shape::of({2, 6}), {5, nullptr}, Shape::of({3, 4}));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->offset, 5);
  EXPECT_EQ(result->strides, nullptr);
}

TEST(ViewLayout, ReshapeOfATransposeNeedsACopyOnlyAcrossIt) {
  const Shape* from = Shape::of({3, 4});
  Layout transposed = layout_of(from, {1, 3});
  EXPECT_FALSE(view_layout(Op::reshape, nullptr, from, transposed, Shape::of({12})));
  EXPECT_FALSE(view_layout(Op::reshape, nullptr, from, transposed, Shape::of({4, 3})));
  auto split = view_layout(Op::reshape, nullptr, from, transposed, Shape::of({3, 2, 2}));
  ASSERT_TRUE(split);
  EXPECT_EQ(strides_of(Shape::of({3, 2, 2}), *split), (DimVector{1, 6, 3}));
}

TEST(ViewLayout, ReshapeOfStridedExpandedSingleAndEmpty) {
  const Shape* from = Shape::of({3, 4});
  for (const DimVector& strides : {DimVector{8, 2}, DimVector{16, 1}, DimVector{0, 0}, DimVector{0, 1}, DimVector{1, 0},
                                   DimVector{-4, -1}, DimVector{4, -1}})
    for (const Shape* to : {Shape::of({12}), Shape::of({4, 3}), Shape::of({2, 6}), Shape::of({3, 1, 4}),
                            Shape::of({1, 3, 2, 2, 1}), Shape::of({3, 4})})
      expect_reshape(from, layout_of(from, strides, 100), to);
  const Shape* single = Shape::of({1, 1});
  for (const Shape* to : {Shape::scalar(), Shape::of({1}), Shape::of({1, 1, 1})})
    expect_reshape(single, Layout{9, Attribute::of({7, 3})}, to);
  const Shape* empty = Shape::of({0, 3});
  for (const Shape* to : {Shape::of({0}), Shape::of({3, 0}), Shape::of({5, 0, 2})})
    expect_reshape(empty, Layout{4, Attribute::of({7, 3})}, to);
}

// Random views of views, and reshapes of them into random shapes.
TEST(ViewLayout, RandomChainsReachTheRightElements) {
  std::mt19937 random(11);
  auto pick = [&](std::int64_t below) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(below)); };
  for (int round = 0; round < 20'000; ++round) {
    DimVector dims(static_cast<std::size_t>(1 + pick(4)));
    for (auto& size : dims) size = 1 + pick(4);
    const Shape* shape = Shape::of(dims);
    Layout layout{pick(10), nullptr};
    for (int step = 0; step < 3; ++step) {
      auto before = positions(shape, layout);
      DimVector order = contiguous_strides(shape), next(shape->dims().begin(), shape->dims().end());
      std::vector<std::int64_t> wanted;
      const Attribute* attribute = nullptr;
      Op op;
      switch (pick(3)) {
        case 0: {
          op = Op::permute;
          DimVector axes(next.size());
          for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
          std::shuffle(axes.begin(), axes.end(), random);
          DimVector from = next, permuted(next.size());
          for (std::size_t i = 0; i < axes.size(); ++i) {
            next[i] = from[static_cast<std::size_t>(axes[i])];
            permuted[i] = order[static_cast<std::size_t>(axes[i])];
          }
          attribute = Attribute::of(axes);
          for (std::int64_t place : positions(Shape::of(next), {0, Attribute::of(permuted)}))
            wanted.push_back(before[static_cast<std::size_t>(place)]);
          break;
        }
        case 1: {
          op = Op::slice;
          DimVector starts(next.size()), steps(next.size()), own(next.size());
          std::int64_t start = 0;
          for (std::size_t i = 0; i < next.size(); ++i) {
            starts[i] = pick(next[i]);
            steps[i] = 1 + pick(2);
            if (pick(3) == 0) steps[i] = -steps[i];
            std::int64_t most = steps[i] > 0 ? (next[i] - 1 - starts[i]) / steps[i] + 1 : starts[i] / -steps[i] + 1;
            next[i] = 1 + pick(most);
            own[i] = steps[i] * order[i];
            start += starts[i] * order[i];
          }
          DimVector both = starts;
          both.insert(both.end(), steps.begin(), steps.end());
          attribute = Attribute::of(both);
          for (std::int64_t place : positions(Shape::of(next), {start, Attribute::of(own)}))
            wanted.push_back(before[static_cast<std::size_t>(place)]);
          break;
        }
        default: {
          op = Op::expand;
          DimVector own = order;
          for (std::size_t i = 0; i < next.size(); ++i)
            if (next[i] == 1 && pick(2)) next[i] = 1 + pick(3), own[i] = 0;
          if (next.size() < 5) {
            next.insert(next.begin(), 1 + pick(2));
            own.insert(own.begin(), 0);
          }
          for (std::int64_t place : positions(Shape::of(next), {0, Attribute::of(own)}))
            wanted.push_back(before[static_cast<std::size_t>(place)]);
        }
      }
      const Shape* to = Shape::of(next);
      auto result = view_layout(op, attribute, shape, layout, to);
      ASSERT_TRUE(result);
      ASSERT_EQ(positions(to, *result), wanted) << row(op).name << " round " << round;
      shape = to;
      layout = *result;
    }
    DimVector factors;
    for (std::int64_t rest = shape->numel(), factor = 2; rest > 1;) {
      if (rest % factor) {
        ++factor;
        continue;
      }
      if (pick(2) && !factors.empty())
        factors.back() *= factor;
      else
        factors.insert(factors.begin() + pick(static_cast<std::int64_t>(factors.size()) + 1), factor);
      rest /= factor;
    }
    if (pick(2)) factors.insert(factors.begin() + pick(static_cast<std::int64_t>(factors.size()) + 1), 1);
    expect_reshape(shape, layout, Shape::of(factors));
    // Splitting and dropping axes of size 1 is always possible, and the most common reshape.
    DimVector same(shape->dims().begin(), shape->dims().end());
    same.insert(same.begin() + pick(static_cast<std::int64_t>(same.size()) + 1), 1);
    ASSERT_TRUE(view_layout(Op::reshape, nullptr, shape, layout, Shape::of(same)));
    if (HasFatalFailure()) return;
  }
}

TEST(ViewLayout, OtherOpsHaveNoLayout) {
  EXPECT_FALSE(view_layout(Op::add, nullptr, Shape::of({2}), {0, Attribute::of({2})}, Shape::of({2})));
}

}  // namespace
}  // namespace lamina

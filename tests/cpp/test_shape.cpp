// Interning of shapes and attributes, overflow, and the broadcasting rule.
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <random>

#include "graph/shape.h"
#include "support/check.h"

namespace lamina {
namespace {

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Shape, EqualSizesAreOnePointer) {
  EXPECT_EQ(Shape::of({2, 3}), Shape::of(DimVector{2, 3}));
  EXPECT_NE(Shape::of({2, 3}), Shape::of({3, 2}));
  EXPECT_NE(Shape::of({2, 3}), Shape::of({2, 3, 1}));
  EXPECT_EQ(Shape::scalar(), Shape::of(DimVector{}));
  EXPECT_NE(Shape::scalar(), Shape::of({1}));
}

TEST(Shape, ManyShapesStayApart) {
  std::vector<const Shape*> shapes;
  for (std::int64_t a = 0; a < 40; ++a)
    for (std::int64_t b = 0; b < 40; ++b) shapes.push_back(Shape::of({a, b}));
  std::size_t next = 0;
  for (std::int64_t a = 0; a < 40; ++a)
    for (std::int64_t b = 0; b < 40; ++b) {
      const Shape* shape = shapes[next++];
      ASSERT_EQ(shape, Shape::of({a, b}));
      ASSERT_EQ((*shape)[0], a);
      ASSERT_EQ((*shape)[1], b);
      ASSERT_EQ(shape->numel(), a * b);
    }
}

TEST(Shape, NumelOfScalarIsOneAndOfEmptyIsZero) {
  EXPECT_EQ(Shape::scalar()->numel(), 1);
  EXPECT_EQ(Shape::scalar()->rank(), 0);
  EXPECT_EQ(Shape::of({4, 0, 5})->numel(), 0);
}

TEST(Shape, NegativeSizeIsRefused) {
  EXPECT_EQ(message([] { Shape::of({2, -3}); }), "Trying to create tensor with negative dimension -3: [2, -3]");
}

TEST(Shape, OverflowIsRefused) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  EXPECT_NE(message([] { Shape::of({kHuge}); }), "");
  EXPECT_NE(message([] { Shape::of({std::int64_t{1} << 31, std::int64_t{1} << 32}); }), "");
  EXPECT_NE(message([] { Shape::of({std::int64_t{1} << 40, std::int64_t{1} << 40, 7}); }), "");
  EXPECT_EQ(Shape::of({std::int64_t{1} << 30, std::int64_t{1} << 28})->numel(), std::int64_t{1} << 58);
  // The refused ones are not remembered as if they had been made.
  EXPECT_NE(message([] { Shape::of({kHuge}); }), "");
}

// Strides step over an empty axis as over one of a single element, as in PyTorch.
TEST(Shape, EmptyShapeOverflowsByItsStridesOnly) {
  constexpr std::int64_t kLarge = std::int64_t{1} << 60;
  EXPECT_EQ(Shape::of({kLarge, kLarge, 0})->numel(), 0);
  EXPECT_EQ(Shape::of({kLarge, 0, kLarge})->numel(), 0);
  EXPECT_THROW(Shape::of({0, kLarge, kLarge}), Error);
}

TEST(Attribute, EqualValuesAreOnePointer) {
  EXPECT_EQ(Attribute::of({1, -2}), Attribute::of(DimVector{1, -2}));
  EXPECT_NE(Attribute::of({1, -2}), Attribute::of({-2, 1}));
  EXPECT_EQ(Attribute::of({1, -2})->size(), 2u);
  EXPECT_EQ((*Attribute::of({1, -2}))[1], -2);
}

TEST(Broadcast, FollowsNumpysRule) {
  EXPECT_EQ(broadcast(Shape::of({2, 1, 3}), Shape::of({4, 1})), Shape::of({2, 4, 3}));
  EXPECT_EQ(broadcast(Shape::scalar(), Shape::of({5, 2})), Shape::of({5, 2}));
  EXPECT_EQ(broadcast(Shape::of({1}), Shape::scalar()), Shape::of({1}));
  EXPECT_EQ(broadcast(Shape::of({0, 3}), Shape::of({1, 3})), Shape::of({0, 3}));
  EXPECT_EQ(broadcast(Shape::of({1}), Shape::of({0})), Shape::of({0}));
}

TEST(Broadcast, MismatchNamesSizesAxisAndShapes) {
  EXPECT_EQ(message([] { broadcast(Shape::of({2, 3}), Shape::of({2, 4})); }),
            "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1 (shapes (2, 3) "
            "and (2, 4))");
  EXPECT_EQ(message([] { broadcast(Shape::of({2, 3}), Shape::of({5, 4})); }).find("The size of tensor a (3)"), 0U);
  EXPECT_NE(message([] { broadcast(Shape::of({0}), Shape::of({2})); }), "");
  // An error leaves the cache as it was: it comes again.
  EXPECT_NE(message([] { broadcast(Shape::of({2, 3}), Shape::of({2, 4})); }), "");
}

TEST(Broadcast, IsSymmetricAndMatchesItsDefinition) {
  std::mt19937 random(3);
  for (int round = 0; round < 5000; ++round) {
    DimVector a(random() % 4), b(random() % 4);
    for (auto& size : a) size = random() % 3;
    for (auto& size : b) size = random() % 3;
    std::size_t rank = std::max(a.size(), b.size());
    DimVector expected(rank);
    bool fits = true;
    for (std::size_t i = 1; i <= rank; ++i) {
      std::int64_t x = i <= a.size() ? a[a.size() - i] : 1, y = i <= b.size() ? b[b.size() - i] : 1;
      fits = fits && (x == y || x == 1 || y == 1);
      expected[rank - i] = x == 1 ? y : x;
    }
    const Shape *first = Shape::of(a), *second = Shape::of(b);
    if (fits) {
      ASSERT_EQ(broadcast(first, second), Shape::of(expected));
      ASSERT_EQ(broadcast(second, first), Shape::of(expected));
    } else {
      ASSERT_THROW(broadcast(first, second), Error);
      ASSERT_THROW(broadcast(second, first), Error);
    }
  }
}

TEST(Shape, PrintsAsPythonAndPyTorchDo) {
  EXPECT_EQ(to_string(Shape::of({2, 3})->dims()), "(2, 3)");
  EXPECT_EQ(to_string(Shape::of({2})->dims()), "(2,)");
  EXPECT_EQ(to_string(Shape::of({2})->dims(), '[', ']'), "[2]");
  EXPECT_EQ(to_string(Shape::scalar()->dims()), "()");
}

}  // namespace
}  // namespace lamina

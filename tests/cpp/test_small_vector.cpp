// SmallVector against std::vector, on both sides of the room that it has inside.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "support/small_vector.h"

namespace {

using Small = lamina::SmallVector<std::int64_t, 4>;
using Reference = std::vector<std::int64_t>;

Small counted(std::size_t size) {
  Small result;
  for (std::size_t i = 0; i < size; ++i) result.push_back(static_cast<std::int64_t>(i));
  return result;
}

void expect_equal(const Small& small, const Reference& reference) {
  EXPECT_EQ(Reference(small.begin(), small.end()), reference);
}

TEST(SmallVector, BeginsEmptyOrWithWhatItIsGiven) {
  EXPECT_TRUE(Small().empty());
  expect_equal(Small(3), {0, 0, 0});
  expect_equal(Small(6, 7), {7, 7, 7, 7, 7, 7});
  expect_equal({1, 2}, {1, 2});
  const std::vector<int> five{1, 2, 3, 4, 5};
  expect_equal(Small(five.begin(), five.end()), {1, 2, 3, 4, 5});
}

TEST(SmallVector, ACopyIsItsOwn) {
  for (std::size_t size : {0, 1, 4, 5, 9}) {
    const Small original = counted(size);
    Small copy = original, assigned = counted(5);
    assigned = original;
    EXPECT_EQ(copy, original);
    EXPECT_EQ(assigned, original);
    copy.push_back(-1);
    assigned.push_back(-1);
    EXPECT_EQ(original, counted(size));
    EXPECT_EQ(copy.size(), size + 1);
  }
}

TEST(SmallVector, WhatWasMovedFromIsEmptyAndUsable) {
  for (std::size_t size : {0, 1, 4, 5, 9})
    for (std::size_t before : {0, 4, 6}) {
      Small from = counted(size), to = counted(before);
      to = std::move(from);
      EXPECT_EQ(to, counted(size));
      from.clear();  // what was moved from may be anything that can be used again
      for (std::int64_t i = 0; i < 6; ++i) from.push_back(i);
      EXPECT_EQ(from, counted(6));
      EXPECT_EQ(to, counted(size));
      const Small made = std::move(to);
      EXPECT_EQ(made, counted(size));
    }
}

TEST(SmallVector, AssigningItselfChangesNothing) {
  for (std::size_t size : {2, 7}) {
    Small one = counted(size);
    Small& same = one;
    one = same;
    EXPECT_EQ(one, counted(size));
    one = std::move(same);
    EXPECT_EQ(one, counted(size));
  }
}

TEST(SmallVector, TellsDifferentOnesApart) {
  EXPECT_FALSE(counted(4) == counted(5));
  EXPECT_FALSE((Small{1, 2} == Small{2, 1}));
}

TEST(SmallVector, ChangesAsAVectorDoes) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random); };
  for (int round = 0; round < 200; ++round) {
    Small small;
    Reference reference;
    for (int step = 0; step < 30; ++step) {
      const auto value = static_cast<std::int64_t>(below(100));
      const auto at = static_cast<std::ptrdiff_t>(below(reference.size() + 1));
      const auto end = at + static_cast<std::ptrdiff_t>(below(reference.size() - static_cast<std::size_t>(at) + 1));
      const Reference three{value, value + 1, value + 2};
      switch (below(8)) {
        case 0:
          small.push_back(value), reference.push_back(value);
          break;
        case 1:
          small.insert(small.begin() + at, value), reference.insert(reference.begin() + at, value);
          break;
        case 2:
          small.insert(small.begin() + at, three.begin(), three.end());
          reference.insert(reference.begin() + at, three.begin(), three.end());
          break;
        case 3:
          EXPECT_EQ(small.erase(small.begin() + at, small.begin() + end) - small.begin(), at);
          reference.erase(reference.begin() + at, reference.begin() + end);
          break;
        case 4:
          small.resize(below(9), value), reference.resize(small.size(), value);
          break;
        case 5:
          small.assign(three.begin(), three.end()), reference = three;
          break;
        case 6:
          if (!reference.empty()) small.pop_back(), reference.pop_back();
          break;
        case 7:
          small.reserve(below(12));
          break;
      }
      ASSERT_EQ(Reference(small.begin(), small.end()), reference);
      if (!reference.empty()) {
        ASSERT_EQ(small.front(), reference.front());
        ASSERT_EQ(small.back(), reference.back());
      }
    }
  }
}

}  // namespace

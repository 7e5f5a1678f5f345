// Module paths.
#include <gtest/gtest.h>

#include <thread>

#include "graph/scope.h"

namespace lamina {
namespace {

TEST(Scope, RootHasAnEmptyPath) {
  EXPECT_EQ(current_scope(), 0u);
  EXPECT_EQ(scope_path(0), "");
}

TEST(Scope, NestedScopesJoinWithDots) {
  std::uint32_t root = enter_scope("net");
  std::uint32_t outer = enter_scope("1");
  enter_scope("linear");
  EXPECT_EQ(scope_path(current_scope()), "net.1.linear");
  EXPECT_EQ(scope_path(outer), "net");
  leave_scope(root);
  EXPECT_EQ(current_scope(), 0u);
}

TEST(Scope, SamePathIsTheSameNumber) {
  auto number = [](const char* first, const char* second) {
    std::uint32_t root = enter_scope(first);
    enter_scope(second);
    std::uint32_t scope = current_scope();
    leave_scope(root);
    return scope;
  };
  EXPECT_EQ(number("a", "b"), number("a", "b"));
  EXPECT_NE(number("a", "b"), number("b", "a"));
  EXPECT_NE(number("a", "b"), number("a", "c"));
}

TEST(Scope, PathsSurviveManyOthers) {
  std::uint32_t root = enter_scope("kept");
  std::uint32_t kept = current_scope();
  for (int i = 0; i < 1000; ++i) leave_scope(enter_scope("child" + std::to_string(i)));
  leave_scope(root);
  EXPECT_EQ(scope_path(kept), "kept");
}

TEST(Scope, APathIsTheSameInEveryPhase) {
  const std::uint32_t path = scope_below(0, "net");
  for (Phase phase : {Phase::kBackward, Phase::kUpdate}) {
    ScopeGuard scope(in_phase(path, phase));
    EXPECT_EQ(phase_of(current_scope()), phase);
    EXPECT_EQ(scope_path(current_scope()), "net");
    const std::uint32_t below = scope_below(current_scope(), "linear");
    EXPECT_EQ(phase_of(below), phase);
    EXPECT_EQ(path_of(below), scope_below(path, "linear"));
    EXPECT_EQ(scope_path(below), "net.linear");
  }
  EXPECT_EQ(current_scope(), 0u);
}

TEST(Scope, AnotherThreadStartsAtTheRoot) {
  std::uint32_t root = enter_scope("here");
  std::uint32_t seen = 1;
  std::thread([&] { seen = current_scope(); }).join();
  EXPECT_EQ(seen, 0u);
  leave_scope(root);
}

}  // namespace
}  // namespace lamina

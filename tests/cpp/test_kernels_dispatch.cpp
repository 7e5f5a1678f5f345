// The choice of the kernel table.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "kernels/table.h"

namespace lamina::kernels {
namespace {

TEST(KernelsDispatch, tables_are_distinct_and_end_with_the_base) {
  std::set<std::string> names;
  const Table* last = nullptr;
  for (const Table* const* t = available_tables(); *t != nullptr; ++t) {
    EXPECT_TRUE(names.insert((*t)->isa).second) << (*t)->isa;
    last = *t;
  }
  ASSERT_NE(last, nullptr);
  EXPECT_STREQ(last->isa, "base");
}

// table() decides once in a process, so this reads the environment that the test was started with.
TEST(KernelsDispatch, environment_chooses_an_available_table) {
  const char* wanted = std::getenv("LAMINA_ISA");
  const Table* expected = *available_tables();
  for (const Table* const* t = available_tables(); *t != nullptr; ++t) {
    if (wanted != nullptr && std::string((*t)->isa) == wanted) expected = *t;
  }
  EXPECT_EQ(&table(), expected);
  EXPECT_EQ(&table(), &table());
}

}  // namespace
}  // namespace lamina::kernels

// Chooses the kernel table: the best one that this CPU can run, or the one that LAMINA_ISA names.
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "kernels/table.h"

namespace lamina::kernels {

extern const Table table_base;
extern const Table table_v3;
extern const Table table_v4;
extern const Table table_neon;

namespace {

#if defined(LAMINA_HAVE_ISA_V3) || defined(LAMINA_HAVE_ISA_V4)
bool cpu_has_v3() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}

// Spelt out because clang 14 does not know the name "x86-64-v4".
bool cpu_has_v4() {
  return cpu_has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

// Best first, then null.
using Tables = std::array<const Table*, 5>;

Tables find_tables() {
  Tables tables{};
  std::size_t count = 0;
#if defined(LAMINA_HAVE_ISA_V4)
  if (cpu_has_v4()) tables[count++] = &table_v4;
#endif
#if defined(LAMINA_HAVE_ISA_V3)
  if (cpu_has_v3()) tables[count++] = &table_v3;
#endif
#if defined(LAMINA_HAVE_ISA_NEON)
  tables[count++] = &table_neon;
#endif
  tables[count] = &table_base;
  return tables;
}

const Table& choose_table() {
  const Table* const* tables = available_tables();
  if (const char* wanted = std::getenv("LAMINA_ISA")) {
    for (const Table* const* t = tables; *t != nullptr; ++t) {
      if (std::string_view((*t)->isa) == wanted) return **t;
    }
  }
  return **tables;
}

}  // namespace

const Table* const* available_tables() {
  static const Tables tables = find_tables();
  return tables.data();
}

const Table& table() {
  static const Table& chosen = choose_table();
  return chosen;
}

int first_level_ways() {
  constexpr int kUsual = 8;
#if defined(_SC_LEVEL1_DCACHE_ASSOC)
  static const long ways = sysconf(_SC_LEVEL1_DCACHE_ASSOC);
  if (ways > 0) return static_cast<int>(ways);
#endif
  return kUsual;
}

}  // namespace lamina::kernels

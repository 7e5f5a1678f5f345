// The plan cache: from a recording and the set of values looked at from outside to a compiled plan.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compile/account_steps.h"
#include "compile/program.h"
#include "support/intrusive_ptr.h"

namespace lamina {

// Its holders are counted with the interpreter's lock held.
struct CompiledPlan {
  mutable std::uint32_t references = 1;
  Plan plan;
  std::vector<Program::Result> results;
  mutable std::unique_ptr<const PlanAccount> account;  // once it has run under a profile
};
inline void retain(const CompiledPlan* compiled) { ++compiled->references; }
inline void release(const CompiledPlan* compiled) {
  if (--compiled->references == 0) delete compiled;
}
using CompiledPlanPtr = IntrusivePtr<const CompiledPlan>;

struct PlanCacheStats {
  std::int64_t compiled = 0;
  std::int64_t hits = 0;
  std::int64_t cached = 0;
};

// The plan for a trace. Equal traces (compared in full; the hash only finds candidates) share one. It outlives its
// place in the cache for as long as it is held.
CompiledPlanPtr find_or_compile(std::span<const std::uint64_t> trace, std::uint64_t hash, const Liveness& liveness);

// What compile() tells people.
struct CompileReport {
  // In: the module path that recorded value i; "" for none. Without this only the account is made.
  std::function<std::string(std::uint32_t)> module_of;
  std::string passes;                 // out: the program after each pass
  std::string explanation;            // out: the steps, and why they are not fewer
  std::vector<StepAccount> accounts;  // out: the steps, for profiles
};

// Compiles without the cache.
CompiledPlan compile(std::span<const std::uint64_t> trace, const Liveness& liveness, CompileReport* report = nullptr);

// What the plan's steps are made of. Compiles again for the first who asks: trace and liveness are the plan's.
const PlanAccount& account_of(const CompiledPlan& compiled, std::span<const std::uint64_t> trace,
                              const Liveness& liveness);

PlanCacheStats plan_cache_stats();
void clear_plan_cache();

}  // namespace lamina

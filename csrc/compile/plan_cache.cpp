// The list of passes, and the least-recently-used cache of plans.
#include "compile/plan_cache.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <unordered_map>

#include "compile/passes.h"

namespace lamina {

namespace {

constexpr std::size_t kMostPlans = 2048;

struct Entry {
  std::vector<std::uint64_t> trace;
  Liveness liveness;
  std::uint64_t hash;
  CompiledPlanPtr compiled;
};

struct Cache {
  std::list<Entry> entries;  // the most recently used first
  std::unordered_multimap<std::uint64_t, std::list<Entry>::iterator> by_hash;
  PlanCacheStats stats;
};

Cache& cache() {
  static auto* instance = new Cache;
  return *instance;
}

std::uint64_t mixed(std::uint64_t hash, const Liveness::Flags& flags) {
  for (std::size_t i = 0; i < flags.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, flags.data() + i, std::min(sizeof bits, flags.size() - i));
    hash = (hash ^ bits) * 0xBF58476D1CE4E5B9ull;
    hash ^= hash >> 31;
  }
  return hash;
}

void evict_oldest(Cache& all) {
  auto oldest = std::prev(all.entries.end());
  auto [begin, end] = all.by_hash.equal_range(oldest->hash);
  for (auto found = begin; found != end; ++found)
    if (found->second == oldest) {
      all.by_hash.erase(found);
      break;
    }
  all.entries.erase(oldest);
}

}  // namespace

CompiledPlan compile(std::span<const std::uint64_t> trace, const Liveness& liveness, CompileReport* report) {
  CompiledPlan result;
  Program program = read_trace(trace, liveness);
  const bool explained = report && report->module_of;
  auto dump = [&](const char* pass) {
    if (explained) report->passes += std::string("after ") + pass + "\n" + to_string(program) + "\n";
  };
  simplify_algebra(program);  // first: what it replaces becomes equal to other things, or dead
  dump("simplify_algebra");
  merge_common_values(program);  // before the dead are counted, which it makes
  dump("merge_common_values");
  drop_dead_values(program);  // before all that look only at what is needed
  dump("drop_dead_values");
  Program unfused = report ? program : Program();
  resolve_views(program);  // before fusion, which must know what is only another look at memory
  dump("resolve_views");
  shrink_broadcasts(program);  // when strides say what repeats, before shapes decide what is fused
  dump("shrink_broadcasts");
  join_products(program);  // before a product adds what the one before it made
  dump("join_products");
  fuse_epilogues(program);  // before elementwise fusion, which would take what products can do
  dump("fuse_epilogues");
  fuse_affine(program);  // likewise
  dump("fuse_affine");
  auto groups = fuse_elementwise(program);
  recompute_cheap_values(program, groups);  // when it is known who reads whose results
  emit_steps(program, groups, result.plan, report != nullptr);
  gather_sums(program, result.plan);    // before memory is assigned, which depends on who comes after whom
  assign_memory(program, result.plan);  // when steps say who is read when
  block_rows(result.plan);              // when steps say what lies where, and before small ones are shared
  share_steps(result.plan);             // last: who waits for whom depends on what lies where
  if (report) report->accounts = account_steps(unfused, program, result.plan);
  if (explained) report->explanation = explain_plan(unfused, program, result.plan, report->module_of);
  result.results = std::move(program.results);
  return result;
}

CompiledPlanPtr find_or_compile(std::span<const std::uint64_t> trace, std::uint64_t hash, const Liveness& liveness) {
  Cache& all = cache();
  hash = mixed(mixed(hash, liveness.live), liveness.dying);
  auto [begin, end] = all.by_hash.equal_range(hash);
  for (auto found = begin; found != end; ++found) {
    auto entry = found->second;
    if (!std::equal(trace.begin(), trace.end(), entry->trace.begin(), entry->trace.end()) ||
        !(entry->liveness == liveness))
      continue;
    ++all.stats.hits;
    if (entry != all.entries.begin()) all.entries.splice(all.entries.begin(), all.entries, entry);
    return entry->compiled;
  }
  ++all.stats.compiled;
  auto compiled = CompiledPlanPtr::adopt(new CompiledPlan(compile(trace, liveness)));
  all.entries.push_front(Entry{{trace.begin(), trace.end()}, liveness, hash, std::move(compiled)});
  all.by_hash.emplace(hash, all.entries.begin());
  if (all.entries.size() > kMostPlans) evict_oldest(all);
  return all.entries.front().compiled;
}

const PlanAccount& account_of(const CompiledPlan& compiled, std::span<const std::uint64_t> trace,
                              const Liveness& liveness) {
  if (!compiled.account) {
    CompileReport report;
    compile(trace, liveness, &report);
    compiled.account.reset(new PlanAccount{read_trace(trace, liveness), std::move(report.accounts)});
  }
  return *compiled.account;
}

PlanCacheStats plan_cache_stats() {
  PlanCacheStats stats = cache().stats;
  stats.cached = static_cast<std::int64_t>(cache().entries.size());
  return stats;
}

void clear_plan_cache() {
  cache().entries.clear();
  cache().by_hash.clear();
}

}  // namespace lamina

// The list of running plans. Tests: tests/python/test_threads_and_fork.py.
#include "engine/running_plans.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace lamina::engine {

namespace {

LockHooks g_hooks;
thread_local bool t_keeps_lock = false;

struct Registry {
  std::mutex mutex;
  std::condition_variable ended;
  std::vector<RunningPlan*> plans;
  std::vector<const Storage*> unfinished;

  void recount() { g_incomplete.store(plans.size() + unfinished.size(), std::memory_order_release); }
};

Registry& registry() {
  static auto* instance = [] {
    // No plan is half done in a forked child: the parent waits for those of its other threads, and none starts.
    pthread_atfork(
        [] {
          std::unique_lock<std::mutex> lock(registry().mutex);
          registry().ended.wait(lock, [] { return registry().plans.empty(); });
          lock.release();
        },
        [] { registry().mutex.unlock(); }, [] { registry().mutex.unlock(); });
    return new Registry;
  }();
  return *instance;
}

}  // namespace

void set_lock_hooks(LockHooks hooks) { g_hooks = hooks; }
bool can_release_lock() { return g_hooks.release != nullptr && !t_keeps_lock; }
KeepLock::KeepLock() : before_(std::exchange(t_keeps_lock, true)) {}
KeepLock::~KeepLock() { t_keeps_lock = before_; }
void heed_signals() {
  if (g_hooks.heed_signals) g_hooks.heed_signals();
}

RunningPlan::RunningPlan(std::vector<const Storage*> written) : written_(std::move(written)) {
  {
    std::lock_guard<std::mutex> lock(registry().mutex);
    registry().plans.push_back(this);
    registry().recount();
  }
  if (releases_) token_ = g_hooks.release();
}

RunningPlan::~RunningPlan() {
  {
    std::lock_guard<std::mutex> lock(registry().mutex);
    std::erase(registry().plans, this);
    registry().recount();
    registry().ended.notify_all();
  }
  if (releases_) g_hooks.acquire(token_);
}

// Called with the registry's mutex held.
bool RunningPlan::writes(const Storage* storage) {
  if (!std::exchange(sorted_, true)) std::sort(written_.begin(), written_.end());
  return std::binary_search(written_.begin(), written_.end(), storage);
}

void mark_unfinished(const std::vector<const Storage*>& storages) {
  unmark_unfinished(storages);
  std::lock_guard<std::mutex> lock(registry().mutex);
  registry().unfinished.insert(registry().unfinished.end(), storages.begin(), storages.end());
  registry().recount();
}

void unmark_unfinished(const std::vector<const Storage*>& storages) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  if (registry().unfinished.empty()) return;
  for (const Storage* storage : storages) std::erase(registry().unfinished, storage);
  registry().recount();
}

bool wait_for_writers(const Storage* storage) {
  std::unique_lock<std::mutex> lock(registry().mutex);
  registry().ended.wait(lock, [storage] {
    const auto& plans = registry().plans;
    return std::none_of(plans.begin(), plans.end(), [storage](RunningPlan* plan) { return plan->writes(storage); });
  });
  const auto& unfinished = registry().unfinished;
  return std::find(unfinished.begin(), unfinished.end(), storage) == unfinished.end();
}

}  // namespace lamina::engine

// Plans that run while the interpreter's lock is released, and those that broke off: what they write, and how to wait
// for it.
//
// Several threads may run plans at once. A plan that runs keeps hold of its inputs' memory, so nobody takes it over;
// its results have storages from the start, so others may build on them, and wait here before they read the numbers.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "support/storage.h"

namespace lamina::engine {

// Called around the execution of plans that take long: release the interpreter's lock, take it again. And, with the
// lock, between the turns of one that takes very long: run the handlers of signals that have come; may raise.
struct LockHooks {
  void* (*release)() = nullptr;
  void (*acquire)(void* token) = nullptr;
  void (*heed_signals)() = nullptr;
};
void set_lock_hooks(LockHooks hooks);
// Whether this thread releases the lock for a long plan: there are hooks, and no KeepLock.
bool can_release_lock();

// While this lives, what this thread runs keeps the interpreter's lock: for looks at a variable in several steps,
// between which no other thread may change it.
class KeepLock {
 public:
  KeepLock();
  ~KeepLock();
  KeepLock(const KeepLock&) = delete;
  KeepLock& operator=(const KeepLock&) = delete;

 private:
  bool before_;
};
void heed_signals();

// While this lives, the lock is released (if it can be) and `written` is known to be incomplete. Made and
// destroyed by the thread that runs the plan; `written` holds storages that the caller keeps alive.
class RunningPlan {
 public:
  explicit RunningPlan(std::vector<const Storage*> written);
  ~RunningPlan();  // first lets others read, then takes the lock again
  RunningPlan(const RunningPlan&) = delete;
  RunningPlan& operator=(const RunningPlan&) = delete;

  bool writes(const Storage* storage);

 private:
  std::vector<const Storage*> written_;
  bool sorted_ = false;  // by the first who asks: mostly nobody does
  bool releases_ = can_release_lock();
  void* token_ = nullptr;
};

// The numbers there are not complete, although no plan that writes them is running; and: they are again.
void mark_unfinished(const std::vector<const Storage*>& storages);
void unmark_unfinished(const std::vector<const Storage*>& storages);

// How many plans run without the lock, and storages are unfinished. Who finds 0 sees all that ended plans wrote.
inline std::atomic<std::size_t> g_incomplete{0};
bool wait_for_writers(const Storage* storage);
// Returns when no running plan writes there any more; false if the numbers are unfinished. The caller may hold the
// interpreter's lock.
inline bool wait_until_written(const Storage* storage) {
  return g_incomplete.load(std::memory_order_acquire) == 0 || wait_for_writers(storage);
}

}  // namespace lamina::engine

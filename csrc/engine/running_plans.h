// Plans that run while the interpreter's lock is released: what they write, and how to wait for it.
//
// Several threads may run plans at once. A plan that runs keeps hold of its inputs, so nobody takes over their memory;
// its results have storages from the start, so others may build on them, and wait here before they read the numbers.
#pragma once

#include <vector>

#include "support/storage.h"

namespace lamina::engine {

// Called around the execution of plans that take long: release the interpreter's lock, take it again.
struct LockHooks {
  void* (*release)() = nullptr;
  void (*acquire)(void* token) = nullptr;
};
void set_lock_hooks(LockHooks hooks);
bool can_release_lock();

// While this lives, the lock is released and `written` is known to be incomplete. Made and destroyed by the thread that
// runs the plan; `written` holds storages that the caller keeps alive.
class RunningPlan {
 public:
  explicit RunningPlan(std::vector<const Storage*> written);
  ~RunningPlan();  // first lets others read, then takes the lock again
  RunningPlan(const RunningPlan&) = delete;
  RunningPlan& operator=(const RunningPlan&) = delete;

  bool writes(const Storage* storage) const;

 private:
  std::vector<const Storage*> written_;  // sorted
  void* token_;
};

// Returns when no running plan writes there any more. The caller may hold the interpreter's lock.
void wait_until_written(const Storage* storage);

}  // namespace lamina::engine

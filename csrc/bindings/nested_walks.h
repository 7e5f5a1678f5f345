// Backward passes within backward passes, however deep: each needs some of the thread's stack, and of Python's.
#pragma once

#include <functional>

namespace lamina::bindings {

// Runs `walk`; on a thread of its own if this one is within many walks already, unless those are forbidden.
void run_nested(const std::function<void()>& walk);

}  // namespace lamina::bindings

// For loops that wait for another thread's next store.
#pragma once

namespace lamina::runtime {

inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

}  // namespace lamina::runtime

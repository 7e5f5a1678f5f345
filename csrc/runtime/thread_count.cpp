// How many threads work: what was set, else LAMINA_NUM_THREADS, else the CPUs that this process may use. And how
// often more than one was to.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

constexpr int kMaxThreads = 1024;
std::atomic<int> wanted_threads{0};  // 0: not yet asked for
std::atomic<std::uint64_t> second_threads{0};

int available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int default_threads() {
  if (const char* text = std::getenv("LAMINA_NUM_THREADS")) {
    char* end = nullptr;
    errno = 0;
    const long count = std::strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && count >= 1)
      return static_cast<int>(std::min<long>(count, kMaxThreads));
  }
  return std::min(available_cpus(), kMaxThreads);
}

}  // namespace

int num_threads() {
  const int known = wanted_threads.load(std::memory_order_relaxed);
  if (known != 0) return known;
  int expected = 0;
  const int found = default_threads();
  return wanted_threads.compare_exchange_strong(expected, found, std::memory_order_relaxed) ? found : expected;
}

void set_num_threads(int count) { wanted_threads.store(std::clamp(count, 1, kMaxThreads), std::memory_order_relaxed); }

std::uint64_t second_thread_count() { return second_threads.load(std::memory_order_relaxed); }
void note_second_thread() { second_threads.fetch_add(1, std::memory_order_relaxed); }

}  // namespace lamina::runtime

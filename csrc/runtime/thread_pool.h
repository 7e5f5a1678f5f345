// The thread pool: the caller works too, idle workers park, a forked child starts afresh.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace lamina::runtime {

// Threads that work at a parallel_for, the caller included. The default is LAMINA_NUM_THREADS, else the CPUs this
// process may use.
int num_threads();
// Takes effect at the next parallel_for. count >= 1.
void set_num_threads(int count);

// How often work was offered to a second thread in this process, whether or not one took part: by a parallel_for, or by
// whoever starts a thread. What leaves the count alone has nothing to show to a thread sanitizer.
std::uint64_t second_thread_count();
void note_second_thread();

using RangeBody = void (*)(void* context, std::size_t begin, std::size_t end);

// Calls body over [0, count) in chunks of `grain` (the last may be shorter), each a contiguous range, on the caller and
// the pool; returns when all are done. Each thread begins with its own part of the chunks, the caller with the first,
// and then takes what others have left of theirs. Runs on the caller alone when count <= grain, inside another
// parallel_for, or with one thread. If body throws, chunks that have not begun are dropped; when the others have ended,
// the first exception is raised here.
void parallel_for(std::size_t count, std::size_t grain, RangeBody body, void* context);

template <typename Body>
void parallel_for(std::size_t count, std::size_t grain, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  parallel_for(
      count, grain,
      [](void* context, std::size_t begin, std::size_t end) { (*static_cast<Plain*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace lamina::runtime

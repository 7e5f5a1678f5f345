// One block a thread: whoever calls again, the same function deeper down included, takes the block away.
#include "runtime/thread_scratch.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace lamina::runtime {

namespace {

constexpr std::size_t kAlignment = 64;

struct Scratch {
  void* data = nullptr;
  std::size_t bytes = 0;
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::free(data);
    data = nullptr;
    bytes = 0;
  }
};

}  // namespace

void* thread_scratch(std::size_t bytes) {
  thread_local Scratch scratch;
  if (bytes > scratch.bytes) {
    const std::size_t rounded =
        (std::max(bytes, scratch.bytes + scratch.bytes / 2) + kAlignment - 1) / kAlignment * kAlignment;
    void* grown = std::aligned_alloc(kAlignment, rounded);
    if (grown == nullptr) throw std::bad_alloc();
    std::free(scratch.data);
    scratch.data = grown;
    scratch.bytes = rounded;
  }
  return scratch.data;
}

}  // namespace lamina::runtime

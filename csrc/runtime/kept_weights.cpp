// A block of memory for each thread, which the weights of a turn share out.
#include "runtime/kept_weights.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>

namespace lamina::runtime {

namespace {

constexpr std::size_t kMostSteps = 32, kAlignment = 64;
constexpr std::size_t kMostBytes = std::size_t{1} << 18;  // beside the weights, in the second-level cache

struct Free {
  void operator()(std::byte* memory) const { std::free(memory); }
};

struct Kept {
  std::unique_ptr<std::byte, Free> memory;
  std::size_t used = 0;
  std::uint64_t turn = 0;
  std::array<std::byte*, kMostSteps> weights{};
};

thread_local Kept g_kept;

}  // namespace

std::uint64_t begin_keeping() {
  static std::atomic<std::uint64_t> turns{0};
  Kept& kept = g_kept;
  kept.used = 0;
  kept.weights.fill(nullptr);
  return kept.turn = turns.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::byte* keep_weight(std::uint32_t step, std::size_t bytes) {
  Kept& kept = g_kept;
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (step >= kMostSteps || bytes > kMostBytes - kept.used) return nullptr;
  if (!kept.memory) kept.memory.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, kMostBytes)));
  if (!kept.memory) return nullptr;  // it is a luxury
  kept.weights[step] = kept.memory.get() + kept.used;
  kept.used += bytes;
  return kept.weights[step];
}

const std::byte* KeptWeight::find() const {
  const Kept& kept = g_kept;
  return turn != 0 && turn == kept.turn && step < kMostSteps ? kept.weights[step] : nullptr;
}

}  // namespace lamina::runtime

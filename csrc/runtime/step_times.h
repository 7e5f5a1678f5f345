// When each step of a run began, and how long it took: for profiles.
//
// Of steps that run together, side by side or block by block, each share is timed, and the time of all of them is
// divided by these.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lamina::runtime {

class StepTimes {
 public:
  // Nanoseconds of the steady clock, and since then. Steps that have not run began at 0.
  struct Span {
    std::int64_t began = 0, took = 0;
  };

  explicit StepTimes(std::size_t steps = 0) : spans_(steps), busy_(steps) {}

  static std::int64_t now() {
    using Nanoseconds = std::chrono::nanoseconds;
    return std::chrono::duration_cast<Nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  void begin() { began_ = now(); }
  // Of the steps [first, end), which ran since begin().
  void end(std::size_t first, std::size_t end);

  // Does a share of a step, on any thread; times may be null.
  template <typename Work>
  static void share(StepTimes* times, std::size_t step, Work work) {
    if (!times) return work();
    const std::int64_t began = now();
    work();
    times->busy_[step].fetch_add(now() - began, std::memory_order_relaxed);
  }

  const std::vector<Span>& spans() const { return spans_; }

 private:
  std::vector<Span> spans_;
  std::vector<std::atomic<std::int64_t>> busy_;  // of all threads, with a step's shares
  std::int64_t began_ = 0;
};

}  // namespace lamina::runtime

// Dividing the time of steps that ran together.
#include "runtime/step_times.h"

#include <algorithm>

namespace lamina::runtime {

void StepTimes::end(std::size_t first, std::size_t end) {
  const std::int64_t took = now() - began_;
  double all = 0;
  for (std::size_t step = first; step < end; ++step) all += static_cast<double>(busy_[step].load());
  double done = 0;
  for (std::size_t step = first; step < end; ++step) {
    const auto start = static_cast<std::int64_t>(done * static_cast<double>(took));
    done += all > 0 ? static_cast<double>(busy_[step].load()) / all : 1 / static_cast<double>(end - first);
    const auto stop = static_cast<std::int64_t>(std::min(done, 1.0) * static_cast<double>(took));
    spans_[step] = {began_ + start, stop - start};
  }
}

}  // namespace lamina::runtime

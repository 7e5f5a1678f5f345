// Memory that had better not be written again soon. Part of assign_memory.
#pragma once

#include <vector>

#include "compile/program.h"
#include "compile/step_accesses.h"

namespace lamina {

// What sums over rows have read rests for some steps: a thread may come to these while another one has yet to sum
// (Turn), for whom it would have to wait.
class RestingMemory {
 public:
  static constexpr std::size_t kSteps = 48;
  static constexpr std::size_t kMostBytes = 1 << 17;  // of a node: larger ones leave the caches meanwhile

  explicit RestingMemory(const Program& program) : program_(program), until_(program.nodes.size(), 0) {}

  // Steps come in their order. home_of: of a node that a location names, the one whose memory it lies in.
  template <typename HomeOf>
  void note(const Step& step, std::size_t number, HomeOf home_of) {
    if (!sums_over_rows(step)) return;
    visit_summed(step, [&](const Location& read) {
      const std::uint32_t home = home_of(read.slot);
      if (program_[home].bytes() <= kMostBytes) until_[home] = number + kSteps;
    });
  }

  // The step from which on the node's memory may be written again.
  std::size_t until(std::uint32_t home) const { return until_[home]; }

 private:
  const Program& program_;
  std::vector<std::size_t> until_;
};

}  // namespace lamina

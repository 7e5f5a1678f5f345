// Memory for a plan that a test compiled itself, and running it there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "graph/tape.h"
#include "runtime/execute.h"

namespace lamina::testing {

// A plan's slots, filled anew for each run.
class Memory {
 public:
  Memory(const Plan& plan, const Recording& recording) {
    blocks_.emplace_back(plan.arena_bytes, std::byte{0x55});
    for (const ValuePtr& input : recording.inputs) {
      const auto* data = static_cast<const std::byte*>(input->storage->data);
      blocks_.emplace_back(data, data + input->shape->numel() * static_cast<std::int64_t>(size_of(input->dtype)));
    }
    for (const ValuePtr& scalar : recording.scalars) {
      double number;
      std::memcpy(&number, &scalar->scalar.low, sizeof number);
      auto narrow = static_cast<float>(number);
      blocks_.emplace_back(sizeof narrow);
      std::memcpy(blocks_.back().data(), &narrow, sizeof narrow);
    }
    for (std::size_t bytes : plan.output_bytes) blocks_.emplace_back(bytes, std::byte{0x55});
    for (auto& block : blocks_) slots_.push_back(block.data());
  }
  std::byte* const* slots() { return slots_.data(); }
  // Inputs may have been overwritten: they are results, too.
  bool same_results(const Memory& other) const {
    return std::equal(blocks_.begin() + 1, blocks_.end(), other.blocks_.begin() + 1);
  }

 private:
  std::vector<std::vector<std::byte>> blocks_;
  std::vector<std::byte*> slots_;
};

inline void execute(const Plan& plan, std::byte* const* slots) {
  std::size_t next = 0;
  runtime::execute(plan, slots, next, std::chrono::steady_clock::time_point::max());
}

}  // namespace lamina::testing

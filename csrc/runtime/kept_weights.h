// Transposed copies of the weights of a turn, which its products with each thread's rows read.
//
// Each thread keeps those of the turn that it began last, and nobody else looks at them. They may be missing: a place
// may go on with another thread, and there is only so much room.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lamina::runtime {

// The number of a turn that the calling thread begins; what it has kept of others is forgotten.
std::uint64_t begin_keeping();

// Room, 64-byte aligned, for the weight of a step of the turn that the calling thread began last, `step` being counted
// from the turn's first. Null: there is none.
std::byte* keep_weight(std::uint32_t step, std::size_t bytes);

// A weight that is kept: of which turn, and of which of its steps. Turn 0: none.
struct KeptWeight {
  std::uint64_t turn = 0;
  std::uint32_t step = 0;

  // Null if the calling thread has no copy.
  const std::byte* find() const;
};

}  // namespace lamina::runtime

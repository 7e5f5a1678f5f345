// Turns of a stretch: who has which weights to itself.
#pragma once

#include <vector>

#include "plan/plan.h"

namespace lamina {

// The turns of a training step's stretch of steps [first, end), but for what they wait for: those that read and update
// the same weights have the same owner. Steps that go by rows come first in a turn, then the sums over all rows and
// what they update. None, if there would be fewer than `least` different owners: threads would wait for one another at
// both ends.
std::vector<Turn> find_turns(const Plan& plan, std::uint32_t first, std::uint32_t end, std::uint32_t least);

}  // namespace lamina

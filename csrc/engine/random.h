// Random generators: a key and a position in its counter-based stream.
#pragma once

#include <cstdint>

#include "graph/value.h"
#include "ops/table.h"

namespace lamina::engine {

// Numbers are fixed by where the generator stands when an op is recorded, not by when the op runs.
struct Generator {
  std::uint64_t seed = 0;
  std::uint64_t position = 0;

  void reseed(std::uint64_t new_seed) {
    seed = new_seed;
    position = 0;
  }
  // Takes `count` positions; returns the first.
  std::uint64_t advance(std::int64_t count) {
    std::uint64_t start = position;
    position += (static_cast<std::uint64_t>(count) + 3) / 4 * 4;  // whole Philox blocks
    return start;
  }
};

// The generator that is used when none is named; seeded from the system's entropy at start.
Generator& default_generator();

// op: uniform [0, 1), normal (0, 1) or random_bits. What is on meta takes no positions of the generator.
ValuePtr random(Op op, const Shape* shape, DType dtype, Generator& generator, Device device = Device::kCpu);
// Integers in [low, high), int64. Raises if there are none.
ValuePtr random_integers(const Shape* shape, std::int64_t low, std::int64_t high, Generator& generator,
                         Device device = Device::kCpu);
// A permutation of 0 … n - 1, int64; computed at once.
ValuePtr random_permutation(std::int64_t n, Generator& generator, Device device = Device::kCpu);

}  // namespace lamina::engine

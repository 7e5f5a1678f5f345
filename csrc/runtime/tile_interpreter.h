// Runs the instructions of an elementwise step on a tile of every register at a time; one a thread.
#pragma once

#include <vector>

#include "runtime/steps.h"

namespace lamina::runtime {

// How many operations an element takes, roughly.
inline std::int64_t operations_of(const ElementwiseStep& step) {
  std::int64_t count = 0;
  for (const auto& instruction : step.instructions)
    count += instruction.kind == ElementwiseStep::Instruction::Kind::kCompound ? instruction.arity : 1;
  return count;
}

class TileInterpreter {
 public:
  static constexpr std::int64_t kTile = 1024;  // elements

  // The step and the slots' memory must outlive the interpreter, which has the thread's scratch memory to itself.
  // extra_bytes of it are for the caller.
  TileInterpreter(const ElementwiseStep& step, Slots slots, std::size_t extra_bytes = 0);
  ~TileInterpreter();
  TileInterpreter(const TileInterpreter&) = delete;
  TileInterpreter& operator=(const TileInterpreter&) = delete;

  // How many elements from `start` on, at most up to `end`, make a good tile: rows that are wide enough are not mixed,
  // so that strided operands can be read where they lie, and what needs no tiles is one.
  std::int64_t stretch(std::int64_t start, std::int64_t end) const;
  // Elements [start, start + n) of the iteration space: n <= kTile, or what stretch() gave.
  void run(std::int64_t start, std::int64_t n);
  // Where the register's elements lie after run().
  const std::byte* elements(std::uint16_t index) const { return elements_[index].first; }
  std::size_t step(std::uint16_t index) const { return elements_[index].step; }  // 0: one element stands for all
  std::byte* extra() const { return extra_; }

 private:
  // Of a register in a tile. One element may stand for all of them, for compounds: a few times, then.
  struct Elements {
    std::byte* first;
    std::size_t step;  // 0: one for all
  };

  bool needs_no_tiles() const;
  Elements read_strided(const ElementwiseStep::Register& entry, std::int64_t start, std::int64_t n);
  // Where to write them: where they belong, if they are neighbors there, else to the tile.
  std::byte* place_scattered(const ElementwiseStep::Register& entry, std::int64_t n) const;
  void scatter(std::int64_t start, std::int64_t n) const;
  void run(const ElementwiseStep::Instruction& instruction, std::size_t n) const;

  bool streams(const ElementwiseStep::Register& entry) const;

  static constexpr std::size_t kMostInPlace = 128;
  const ElementwiseStep& step_;
  Slots slots_;
  std::int64_t longest_ = kTile;
  std::int64_t piece_ = 0;  // of a row that makes a tile; 0: rows do not matter
  std::byte *tiles_, *extra_;
  std::vector<std::uint16_t> streamed_;      // registers whose tiles are copied to memory past the caches
  bool scatters_ = false, by_rows_ = false;  // any register, or any that is not contiguous
  std::int64_t row_ = 0, column_ = 0;        // where a tile begins, if by rows
  Elements* elements_;
  Elements in_place_[kMostInPlace];
  std::vector<Elements> on_heap_;
};

}  // namespace lamina::runtime

// The interpreter of elementwise steps.
#include "runtime/tile_interpreter.h"

#include "runtime/strided.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

using Kind = ElementwiseStep::Kind;

constexpr std::int64_t kNarrow = 128;  // rows below this share tiles
// Of the widest type; the odd 64 bytes keep tiles off one cache set.
constexpr std::size_t kTileBytes = TileInterpreter::kTile * 8 + 64;

}  // namespace

TileInterpreter::TileInterpreter(const ElementwiseStep& step, Slots slots, std::size_t extra_bytes)
    : step_(step), slots_(slots), pointers_(in_place_) {
  tiles_ = static_cast<std::byte*>(thread_scratch(step.tiles * kTileBytes + extra_bytes));
  extra_ = tiles_ + step.tiles * kTileBytes;
  if (step.registers.size() > kMostInPlace) {
    on_heap_.resize(step.registers.size());
    pointers_ = on_heap_.data();
  }
  bool any_strided = false;
  for (std::size_t i = 0; i < step.registers.size(); ++i) {
    const auto& entry = step.registers[i];
    if (entry.kind != Kind::kContiguous) pointers_[i] = tiles_ + entry.tile * kTileBytes;
    if (entry.kind == Kind::kUniform)
      fill(pointers_[i], at(slots, entry.location), entry.element_size, std::min(kTile, step.numel));
    any_strided |= entry.kind == Kind::kStrided;
  }
  if (any_strided && step.dims.back() >= kNarrow) {
    std::int64_t width = step.dims.back(), pieces = (width + kTile - 1) / kTile;
    piece_ = (width + pieces - 1) / pieces;
  }
}

std::int64_t TileInterpreter::stretch(std::int64_t start, std::int64_t end) const {
  std::int64_t n = std::min(kTile, end - start);
  if (piece_ == 0) return n;
  std::int64_t width = step_.dims.back();
  return std::min({n, piece_, width - start % width});
}

void TileInterpreter::run(std::int64_t start, std::int64_t n) {
  const kernels::Table& table = kernels::table();
  for (std::size_t i = 0; i < step_.registers.size(); ++i) {
    const auto& entry = step_.registers[i];
    if (entry.kind == Kind::kContiguous)
      pointers_[i] = at(slots_, entry.location) + start * entry.element_size;
    else if (entry.kind == Kind::kStrided)
      pointers_[i] = read_strided(entry, start, n);
  }
  for (const auto& instruction : step_.instructions) {
    const void* in[3] = {pointers_[instruction.in[0]], pointers_[instruction.in[1]], pointers_[instruction.in[2]]};
    if (instruction.is_cast)
      table.cast[index_of(instruction.dtype)][index_of(instruction.to)](pointers_[instruction.out], in[0],
                                                                        static_cast<std::size_t>(n));
    else
      table.elementwise[static_cast<std::size_t>(instruction.kernel)][index_of(instruction.dtype)](
          pointers_[instruction.out], in, static_cast<std::size_t>(n));
  }
}

// Within a row a register may be read where it lies.
std::byte* TileInterpreter::read_strided(const ElementwiseStep::Register& entry, std::int64_t start, std::int64_t n) {
  std::int64_t width = step_.dims.back(), column = start % width;
  std::byte* base = at(slots_, entry.location);
  if (entry.strides.back() == 1 && column + n <= width)
    return base + (row_offset(step_.dims, entry.strides, start / width) + column) * entry.element_size;
  std::byte* tile = tiles_ + entry.tile * kTileBytes;
  gather_range(tile, base, step_.dims, entry.strides, entry.element_size, start, n);
  return tile;
}

}  // namespace lamina::runtime

// The interpreter of elementwise steps.
#include "runtime/tile_interpreter.h"

#include "runtime/stream.h"
#include "runtime/strided.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

using Kind = ElementwiseStep::Kind;

constexpr std::int64_t kNarrow = 128;  // rows below this share tiles
// Of the widest type; the odd 64 bytes keep tiles off one cache set.
constexpr std::size_t kTileBytes = TileInterpreter::kTile * 8 + 64;

}  // namespace

// Not what is written over an operand: its lines are in the cache.
bool TileInterpreter::streams(const ElementwiseStep::Register& entry) const {
  if (entry.kind != Kind::kContiguous || step_.numel * entry.element_size < kStreamedBytes) return false;
  for (const auto& other : step_.registers)
    if (&other != &entry && other.kind != Kind::kTemporary && at(slots_, other.location) == at(slots_, entry.location))
      return false;
  return true;
}

TileInterpreter::TileInterpreter(const ElementwiseStep& step, Slots slots, std::size_t extra_bytes)
    : step_(step), slots_(slots), pointers_(in_place_) {
  if (step.numel >= kStreamedBytes / 8)
    for (const auto& instruction : step.instructions)
      if (streams(step.registers[instruction.out])) streamed_.push_back(instruction.out);
  std::size_t tiles = step.tiles + streamed_.size();
  tiles_ = static_cast<std::byte*>(thread_scratch(tiles * kTileBytes + extra_bytes));
  extra_ = tiles_ + tiles * kTileBytes;
  if (step.registers.size() > kMostInPlace) {
    on_heap_.resize(step.registers.size());
    pointers_ = on_heap_.data();
  }
  bool any_strided = false;
  std::byte** pointer = pointers_;
  for (const auto& entry : step.registers) {
    if (entry.kind != Kind::kContiguous) *pointer = tiles_ + entry.tile * kTileBytes;
    if (entry.kind == Kind::kUniform)
      fill(*pointer, at(slots, entry.location), entry.element_size, std::min(kTile, step.numel));
    any_strided |= entry.kind == Kind::kStrided;
    ++pointer;
  }
  if (any_strided && step.dims.back() >= kNarrow) {
    std::int64_t width = step.dims.back(), pieces = (width + kTile - 1) / kTile;
    piece_ = (width + pieces - 1) / pieces;
  }
}

TileInterpreter::~TileInterpreter() {
  if (!streamed_.empty()) finish_streaming();
}

std::int64_t TileInterpreter::stretch(std::int64_t start, std::int64_t end) const {
  std::int64_t n = std::min(kTile, end - start);
  if (piece_ == 0) return n;
  std::int64_t width = step_.dims.back();
  return std::min({n, piece_, width - start % width});
}

void TileInterpreter::run(std::int64_t start, std::int64_t n) {
  const kernels::Table& table = kernels::table();
  std::byte** pointer = pointers_;
  for (const auto& entry : step_.registers) {
    if (entry.kind == Kind::kContiguous)
      *pointer = at(slots_, entry.location) + start * entry.element_size;
    else if (entry.kind == Kind::kStrided)
      *pointer = read_strided(entry, start, n);
    ++pointer;
  }
  for (std::size_t i = 0; i < streamed_.size(); ++i) pointers_[streamed_[i]] = tiles_ + (step_.tiles + i) * kTileBytes;
  for (const auto& instruction : step_.instructions) {
    const void* in[3] = {pointers_[instruction.in[0]], pointers_[instruction.in[1]], pointers_[instruction.in[2]]};
    if (instruction.is_cast)
      table.cast[index_of(instruction.dtype)][index_of(instruction.to)](pointers_[instruction.out], in[0],
                                                                        static_cast<std::size_t>(n));
    else
      table.elementwise[static_cast<std::size_t>(instruction.kernel)][index_of(instruction.dtype)](
          pointers_[instruction.out], in, static_cast<std::size_t>(n));
  }
  for (std::uint16_t number : streamed_) {
    const auto& entry = step_.registers[number];
    std::byte* to = at(slots_, entry.location) + start * entry.element_size;
    stream(to, pointers_[number], static_cast<std::size_t>(n * entry.element_size));
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

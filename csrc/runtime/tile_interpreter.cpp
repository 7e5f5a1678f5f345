// The interpreter of elementwise steps.
#include "runtime/tile_interpreter.h"

#include "runtime/stream.h"
#include "runtime/strided.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

using Kind = ElementwiseStep::Kind;

constexpr std::int64_t kNarrow = 128;  // rows below this share tiles
// Of the widest type. Whole pages: a store a little ahead of a load within its page can look like one to the same
// place, and the load waits (ADR 4).
constexpr std::size_t kTileBytes = TileInterpreter::kTile * 8;
static_assert(kTileBytes % 4096 == 0);

// How many copies of an element stand for all of them.
std::int64_t few_of(const ElementwiseStep::Register& entry) {
  return static_cast<std::int64_t>(kernels::kRepeatedBytes) / entry.element_size;
}

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
    : step_(step), slots_(slots), elements_(in_place_) {
  if (step.numel >= kStreamedBytes / 8 && !step.read_soon)
    for (const auto& instruction : step.instructions)
      if (streams(step.registers[instruction.out])) streamed_.push_back(instruction.out);
  std::size_t tiles = step.tiles + streamed_.size();
  if (needs_no_tiles()) longest_ = step.numel;
  tiles_ = static_cast<std::byte*>(thread_scratch(tiles * kTileBytes + extra_bytes));
  extra_ = tiles_ + tiles * kTileBytes;
  if (step.registers.size() > kMostInPlace) {
    on_heap_.resize(step.registers.size());
    elements_ = on_heap_.data();
  }
  bool any_strided = false;
  Elements* elements = elements_;
  for (const auto& entry : step.registers) {
    *elements = {tiles_ + entry.tile * kTileBytes, 1};
    if (entry.kind == Kind::kUniform) {
      fill(elements->first, at(slots, entry.location), entry.element_size,
           entry.few ? few_of(entry) : std::min(kTile, step.numel));
      if (entry.few) elements->step = 0;
    }
    any_strided |= entry.kind == Kind::kStrided;
    scatters_ |= entry.kind == Kind::kScattered;
    ++elements;
  }
  by_rows_ = any_strided || scatters_;
  if (by_rows_ && step.dims.back() >= kNarrow) {
    std::int64_t width = step.dims.back(), pieces = (width + kTile - 1) / kTile;
    piece_ = (width + pieces - 1) / pieces;
  }
}

// A single operation on what lies in memory, or repeats, and sums that read nothing else.
bool TileInterpreter::needs_no_tiles() const {
  return streamed_.empty() && step_.instructions.size() <= step_.reductions.empty() &&
         std::all_of(step_.registers.begin(), step_.registers.end(), [](const ElementwiseStep::Register& entry) {
           return entry.kind == Kind::kContiguous || (entry.kind == Kind::kUniform && entry.few);
         });
}

TileInterpreter::~TileInterpreter() {
  if (!streamed_.empty()) finish_streaming();
}

std::int64_t TileInterpreter::stretch(std::int64_t start, std::int64_t end) const {
  std::int64_t n = std::min(longest_, end - start);
  if (piece_ == 0) return n;
  std::int64_t width = step_.dims.back();
  return std::min({n, piece_, width - start % width});
}

void TileInterpreter::run(std::int64_t start, std::int64_t n) {
  if (by_rows_) {
    row_ = start / step_.dims.back();
    column_ = start - row_ * step_.dims.back();
  }
  Elements* elements = elements_;
  for (const auto& entry : step_.registers) {
    if (entry.kind == Kind::kContiguous)
      elements->first = at(slots_, entry.location) + start * entry.element_size;
    else if (entry.kind == Kind::kStrided)
      *elements = read_strided(entry, start, n);
    else if (entry.kind == Kind::kScattered)
      elements->first = place_scattered(entry, n);
    ++elements;
  }
  for (std::size_t i = 0; i < streamed_.size(); ++i)
    elements_[streamed_[i]].first = tiles_ + (step_.tiles + i) * kTileBytes;
  for (const auto& instruction : step_.instructions) run(instruction, static_cast<std::size_t>(n));
  if (scatters_) scatter(start, n);
  for (std::uint16_t number : streamed_) {
    const auto& entry = step_.registers[number];
    std::byte* to = at(slots_, entry.location) + start * entry.element_size;
    stream(to, elements_[number].first, static_cast<std::size_t>(n * entry.element_size));
  }
}

void TileInterpreter::run(const ElementwiseStep::Instruction& instruction, std::size_t n) const {
  using Of = ElementwiseStep::Instruction::Kind;
  const kernels::Table& table = kernels::table();
  std::byte* out = elements_[instruction.out].first;
  std::size_t dtype = index_of(instruction.dtype);
  if (instruction.kind == Of::kCompound) {
    const void* in[kMostOperands];
    std::size_t steps[kMostOperands];
    for (std::size_t i = 0; i < instruction.arity; ++i) {
      in[i] = elements_[instruction.in[i]].first;
      steps[i] = elements_[instruction.in[i]].step;
    }
    return table.compound[static_cast<std::size_t>(instruction.compound)][dtype](out, in, steps, n);
  }
  const void* in[3] = {elements_[instruction.in[0]].first, elements_[instruction.in[1]].first,
                       elements_[instruction.in[2]].first};
  if (instruction.kind == Of::kCast) return table.cast[dtype][index_of(instruction.to)](out, in[0], n);
  table.elementwise[static_cast<std::size_t>(instruction.kernel)][dtype](out, in, n);
}

// Within a row a register may be read where it lies.
TileInterpreter::Elements TileInterpreter::read_strided(const ElementwiseStep::Register& entry, std::int64_t start,
                                                        std::int64_t n) {
  std::byte* base = at(slots_, entry.location);
  std::byte* tile = tiles_ + entry.tile * kTileBytes;
  bool repeats = entry.few && entry.strides.back() == 0;
  if (column_ + n <= step_.dims.back() && (repeats || entry.strides.back() == 1)) {
    std::int64_t row = row_offset(step_.dims, entry.strides, row_);
    if (!repeats) return {base + (row + column_) * entry.element_size, 1};
    fill(tile, base + row * entry.element_size, entry.element_size, few_of(entry));
    return {tile, 0};
  }
  gather_range(tile, base, step_.dims, entry.strides, entry.element_size, start, n);
  return {tile, 1};
}

std::byte* TileInterpreter::place_scattered(const ElementwiseStep::Register& entry, std::int64_t n) const {
  if (column_ + n > step_.dims.back() || entry.strides.back() != 1) return tiles_ + entry.tile * kTileBytes;
  return at(slots_, entry.location) + (row_offset(step_.dims, entry.strides, row_) + column_) * entry.element_size;
}

void TileInterpreter::scatter(std::int64_t start, std::int64_t n) const {
  const Elements* elements = elements_;
  for (const auto& entry : step_.registers) {
    const std::byte* from = elements++->first;
    if (entry.kind == Kind::kScattered && from == tiles_ + entry.tile * kTileBytes)
      scatter_range(at(slots_, entry.location), from, step_.dims, entry.strides, entry.element_size, start, n);
  }
}

}  // namespace lamina::runtime

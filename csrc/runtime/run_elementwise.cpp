// The elementwise step: an interpreter that takes a tile of every register through all instructions, then the next
// tile.
#include "runtime/steps.h"
#include "runtime/strided.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

constexpr std::int64_t kTile = 512;                 // elements
constexpr std::size_t kLeastTiles = 32;             // of a chunk: they repay filling the uniform operands' tiles
constexpr std::size_t kTileBytes = kTile * 8 + 64;  // of the widest type; the odd 64 bytes keep tiles off one cache set

void run_range(const ElementwiseStep& step, Slots slots, std::int64_t begin, std::int64_t end) {
  using Kind = ElementwiseStep::Kind;
  const kernels::Table& table = kernels::table();
  auto* tiles = static_cast<std::byte*>(thread_scratch(step.tiles * kTileBytes));
  constexpr std::size_t kMostOnStack = 128;
  std::byte* on_stack[kMostOnStack];
  std::vector<std::byte*> on_heap;
  std::byte** pointers = on_stack;
  if (step.registers.size() > kMostOnStack) {
    on_heap.resize(step.registers.size());
    pointers = on_heap.data();
  }
  for (std::size_t i = 0; i < step.registers.size(); ++i) {
    const auto& entry = step.registers[i];
    if (entry.kind == Kind::kContiguous)
      pointers[i] = at(slots, entry.location) + begin * entry.element_size;
    else
      pointers[i] = tiles + entry.tile * kTileBytes;
    if (entry.kind == Kind::kUniform)
      fill(pointers[i], at(slots, entry.location), entry.element_size, std::min(kTile, end - begin));
  }
  for (std::int64_t start = begin; start < end; start += kTile) {
    auto n = std::min(kTile, end - start);
    for (std::size_t i = 0; i < step.registers.size(); ++i) {
      const auto& entry = step.registers[i];
      if (entry.kind == Kind::kStrided)
        gather_range(pointers[i], at(slots, entry.location), step.dims, entry.strides, entry.element_size, start, n);
    }
    for (const auto& instruction : step.instructions) {
      const void* in[3] = {pointers[instruction.in[0]], pointers[instruction.in[1]], pointers[instruction.in[2]]};
      if (instruction.is_cast)
        table.cast[index_of(instruction.dtype)][index_of(instruction.to)](pointers[instruction.out], in[0],
                                                                          static_cast<std::size_t>(n));
      else
        table.elementwise[static_cast<std::size_t>(instruction.kernel)][index_of(instruction.dtype)](
            pointers[instruction.out], in, static_cast<std::size_t>(n));
    }
    for (std::size_t i = 0; i < step.registers.size(); ++i)
      if (step.registers[i].kind == Kind::kContiguous) pointers[i] += kTile * step.registers[i].element_size;
  }
}

}  // namespace

void run(const ElementwiseStep& step, Slots slots) {
  auto weight = static_cast<std::int64_t>(step.instructions.size());
  std::size_t tiles = std::max(kLeastTiles, (grain_for(step.numel, weight) + kTile - 1) / kTile);
  parallel_for(static_cast<std::size_t>(step.numel), tiles * kTile, [&](std::size_t begin, std::size_t end) {
    run_range(step, slots, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
  });
}

}  // namespace lamina::runtime

// Runs a plan's steps, and those steps that are one call of a kernel.
#include "runtime/execute.h"

#include <algorithm>
#include <cstring>

#include "runtime/ceil_divide.h"
#include "runtime/matmul.h"
#include "runtime/run_stretch.h"
#include "runtime/steps.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

bool execute(const Plan& plan, Slots slots, std::size_t& next, std::chrono::steady_clock::time_point until,
             StepTimes* times) {
  const bool looks_at_clock = until != until.max();
  auto threads = static_cast<std::uint32_t>(num_threads());
  bool alone = threads == 1 && !plan.shares.empty();
  auto stretch = plan.stretches.begin();
  auto blocks = plan.row_blocks.begin();
  while (next < plan.steps.size()) {
    while (stretch != plan.stretches.end() && stretch->first < next) ++stretch;
    while (blocks != plan.row_blocks.end() && blocks->first < next) ++blocks;
    const std::size_t first = next;
    if (times) times->begin();
    if (blocks != plan.row_blocks.end() && blocks->first == next) {
      run_row_blocks(plan, *blocks, slots, times);
      next = blocks->end;
    } else if (threads > 1 && stretch != plan.stretches.end() && stretch->first == next) {
      run_stretch(plan, *stretch, slots, std::min(threads, stretch->most), times);
      next = stretch->end;
    } else {
      if (alone)
        run_share(plan, slots, static_cast<std::uint32_t>(next), 0, 1, static_cast<std::uint32_t>(next));
      else
        std::visit([slots](const auto& one) { run(one, slots); }, plan.steps[next]);
      ++next;
    }
    if (times) times->end(first, next);
    if (looks_at_clock && std::chrono::steady_clock::now() >= until) break;
  }
  return next >= plan.steps.size();
}

// Other steps that write into an operand (scatters, rows) raise nothing, but for counts on their own.
bool overwrites_operands(const Plan& plan, std::size_t step, Slots slots) {
  for (const Stretch& stretch : plan.stretches)
    if (step == stretch.first) return true;  // of later steps in it, too, some shares may be done
  for (const RowBlocks& blocks : plan.row_blocks)
    if (step == blocks.first) return true;
  if (const auto* product = step < plan.steps.size() ? std::get_if<MatmulStep>(&plan.steps[step]) : nullptr)
    return product->has_update && at(slots, product->base) == at(slots, product->updated);
  if (const auto* entries = step < plan.steps.size() ? std::get_if<IndexStep>(&plan.steps[step]) : nullptr)
    return entries->kind == IndexStep::Kind::kScatterAdd && entries->dtype == DType::kInt64;
  const auto* pass = step < plan.steps.size() ? std::get_if<ElementwiseStep>(&plan.steps[step]) : nullptr;
  if (!pass) return false;
  for (const auto& instruction : pass->instructions) {
    const auto& written = pass->registers[instruction.out];
    if (written.kind != ElementwiseStep::Kind::kContiguous) continue;
    for (const auto& read : pass->registers)
      if (&read != &written && read.kind != ElementwiseStep::Kind::kTemporary &&
          at(slots, read.location) == at(slots, written.location))
        return true;
  }
  return false;
}

void run(const ScanStep& step, Slots slots) {
  const auto name = static_cast<std::size_t>(step.kernel), type = index_of(step.dtype), size = size_of(step.dtype);
  const std::byte* in = at(slots, step.in);
  std::byte* out = at(slots, step.out);
  const auto n = static_cast<std::size_t>(step.n), inner = static_cast<std::size_t>(step.inner);
  if (step.inner > 1) {  // pieces of columns: whole lines
    constexpr std::int64_t kPiece = 128;
    const std::int64_t pieces = ceil_divide(step.inner, kPiece), units = step.outer * pieces;
    const auto kernel = kernels::table().scan_columns[name][type];
    parallel_for(static_cast<std::size_t>(units), grain_for(units, step.n * std::min(step.inner, kPiece)),
                 [&](std::size_t begin, std::size_t end) {
                   const auto across = static_cast<std::size_t>(pieces);
                   for (std::size_t next; begin < end; begin = next) {
                     const std::size_t first = begin % across * kPiece;
                     next = std::min(end, begin + across - begin % across);
                     const std::size_t place = (begin / across * n * inner + first) * size;
                     kernel(out + place, in + place, n, std::min(inner - first, (next - begin) * kPiece), inner);
                   }
                 });
    return;
  }
  const auto kernel = kernels::table().scan[name][type];
  const std::size_t row = n * size, out_row = n * size_of(step.out_dtype);
  parallel_for(
      static_cast<std::size_t>(step.outer), grain_for(step.outer, step.n),
      [&](std::size_t begin, std::size_t end) { kernel(out + begin * out_row, in + begin * row, end - begin, n); });
}

namespace {

// tail: memory for the args' own.
kernels::MatmulArgs args_of(const MatmulStep& step, Slots slots, kernels::MatmulTail& tail) {
  kernels::MatmulArgs args{};
  args.m = static_cast<std::size_t>(step.m);
  args.n = static_cast<std::size_t>(step.n);
  args.k = static_cast<std::size_t>(step.k);
  args.a = at(slots, step.a);
  args.a_row = step.a_row;
  args.a_column = step.a_column;
  args.b = at(slots, step.b);
  args.b_row = step.b_row;
  args.b_column = step.b_column;
  args.c = at(slots, step.c);
  args.c_row = step.n;
  args.bias = step.has_bias ? at(slots, step.bias) : nullptr;
  args.activation = step.relu ? kernels::Activation::kRelu : kernels::Activation::kNone;
  const auto from_c = [&](bool has, const Location& place) { return has ? at(slots, place) - at(slots, step.c) : 0; };
  tail = {from_c(step.has_addend, step.addend), from_c(step.has_mask, step.mask), from_c(step.has_update, step.base),
          from_c(step.has_update, step.updated), step.has_update ? at(slots, step.rate) : nullptr};
  args.tail = step.has_addend || step.has_mask || step.has_update ? &tail : nullptr;
  return args;
}

}  // namespace

void run(const MatmulStep& step, Slots slots) {
  kernels::MatmulTail tail;
  matmul(step.dtype, args_of(step, slots, tail), step.a_offsets, step.b_offsets, step.c_offsets);
}

void run_rows(const MatmulStep& step, Slots slots, std::int64_t begin, std::int64_t end, kernels::Ahead ahead,
              KeptWeight kept) {
  kernels::MatmulTail tail;
  kernels::MatmulArgs args = args_of(step, slots, tail);
  auto size = static_cast<std::int64_t>(size_of(step.dtype));
  const std::byte* copy = kept.find();
  if (copy != nullptr) args.b_row = step.n, args.b_column = 1;
  args.ahead = &ahead;
  args.whole_m = args.m;
  args.m = static_cast<std::size_t>(end - begin);
  args.a = static_cast<const std::byte*>(args.a) + (step.a_offsets[0] + begin * args.a_row) * size;
  args.b = copy != nullptr ? copy : static_cast<const std::byte*>(args.b) + step.b_offsets[0] * size;
  args.c = static_cast<std::byte*>(args.c) + (step.c_offsets[0] + begin * args.c_row) * size;
  matmul_alone(step.dtype, args);
}

void transpose_weight(const MatmulStep& step, Slots slots, std::byte* to) {
  const auto size = static_cast<std::int64_t>(size_of(step.dtype));
  kernels::table().transpose[size](to, at(slots, step.b) + step.b_offsets[0] * size, static_cast<std::size_t>(step.n),
                                   static_cast<std::size_t>(step.k), static_cast<std::size_t>(step.b_column));
}

void run(const RandomStep& step, Slots slots) {
  std::uint64_t seed[2];
  std::memcpy(seed, at(slots, step.seed), sizeof seed);
  std::byte* out = at(slots, step.out);
  std::size_t size = size_of(step.dtype);
  const kernels::Table& table = kernels::table();
  std::size_t grain = grain_for(step.n, 8);
  grain += grain % 2;  // normal numbers come in pairs
  parallel_for(static_cast<std::size_t>(step.n), grain, [&](std::size_t begin, std::size_t end) {
    std::byte* to = out + begin * size;
    std::size_t n = end - begin;
    switch (step.kind) {
      case RandomStep::Kind::kUniform:
        return table.uniform[index_of(step.dtype)](to, n, seed[0], seed[1] + begin);
      case RandomStep::Kind::kNormal:
        return table.normal[index_of(step.dtype)](to, n, seed[0], seed[1] + begin);
      case RandomStep::Kind::kBits:
        return table.random_bits(reinterpret_cast<std::uint64_t*>(to), n, seed[0], seed[1] + begin);
    }
  });
}

}  // namespace lamina::runtime

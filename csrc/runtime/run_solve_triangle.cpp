// Triangular systems, shared out by matrices and by strips of columns.
#include <algorithm>

#include "runtime/ceil_divide.h"
#include "runtime/steps.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

void run(const SolveTriangleStep& step, Slots slots) {
  constexpr std::int64_t kStrip = 64;  // columns: whole vectors of every target
  const kernels::SolveTriangleFn solve = kernels::table().solve_triangle[index_of(step.dtype)];
  const auto size = static_cast<std::int64_t>(size_of(step.dtype));
  const std::byte *a = at(slots, step.a), *b = at(slots, step.b);
  std::byte* const x = at(slots, step.x);
  const std::int64_t strips = ceil_divide(step.m, kStrip), units = step.matrices * strips;
  const std::int64_t work = step.n * step.n * std::min(step.m, kStrip) / 2;
  parallel_for(static_cast<std::size_t>(units), grain_for(units, work), [&](std::size_t begin, std::size_t end) {
    for (auto unit = static_cast<std::int64_t>(begin); unit < static_cast<std::int64_t>(end); ++unit) {
      const std::int64_t matrix = unit / strips, column = unit % strips * kStrip;
      const std::int64_t place = (matrix * step.n * step.m + column) * size;
      kernels::TriangleArgs args{};
      args.x = x + place, args.b = b + place, args.a = a + matrix * step.n * step.n * size;
      args.n = static_cast<std::size_t>(step.n),
      args.count = static_cast<std::size_t>(std::min(kStrip, step.m - column));
      args.row = step.transposed ? 1 : step.n, args.column = step.transposed ? step.n : 1, args.width = step.m;
      args.lower = step.upper == step.transposed, args.unit = step.unit;
      solve(args);
    }
  });
}

}  // namespace lamina::runtime

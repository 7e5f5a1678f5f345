// The row-wise step down columns. Matrices are cut into strips of columns and parts of rows by their sizes only, so
// that the thread count does not change a bit of the result.
#include <algorithm>
#include <vector>

#include "runtime/steps.h"
#include "runtime/stream.h"
#include "runtime/thread_pool.h"
#include "runtime/thread_scratch.h"

namespace lamina::runtime {

namespace {

constexpr std::size_t kStripBytes = 1 << 12;  // of a row: long enough for hardware to see the next lines coming
constexpr std::size_t kLeastRows = 64, kLeastElements = 1 << 15, kMostParts = 64;  // of and as parts

// How [outer][n][inner] is cut; strips of all matrices are numbered through.
struct Cut {
  std::size_t n, inner, strips, width, parts, rows;

  Cut(const RowwiseStep& step, std::size_t size)
      : n(static_cast<std::size_t>(step.n)), inner(static_cast<std::size_t>(step.inner)) {
    const std::size_t lanes = 64 / size, fitting = (inner * size + kStripBytes - 1) / kStripBytes;
    width = ((inner + fitting - 1) / fitting + lanes - 1) / lanes * lanes;
    strips = (inner + width - 1) / width;
    rows = std::max({kLeastRows, kLeastElements / width, (n + kMostParts - 1) / kMostParts});
    parts = std::max<std::size_t>(1, (n + rows - 1) / rows);
  }

  std::size_t column(std::size_t strip) const { return strip % strips * width; }
  std::size_t columns(std::size_t strip) const { return std::min(width, inner - column(strip)); }
  // Its first element.
  std::size_t start(std::size_t strip) const { return strip / strips * n * inner + column(strip); }
};

struct Work {
  const RowwiseStep& step;
  const std::byte* in;
  std::byte* out;
  bool streamed;
  std::size_t size = size_of(step.dtype);
  Cut cut{step, size};

  void look(std::byte* statistics, std::size_t strip, std::size_t part) const {
    const std::size_t first = part * cut.rows;
    kernels::table().column_statistics[index_of(step.dtype)](
        statistics, in + (cut.start(strip) + first * cut.inner) * size, std::min(cut.rows, cut.n - first),
        cut.columns(strip), cut.inner);
  }

  void merge(std::byte* statistics, std::size_t strip) const {
    std::byte* to = statistics;
    if (step.kernel == Rowwise::logsumexp) to = out + (strip / cut.strips * cut.inner + cut.column(strip)) * size;
    kernels::table().merge_columns[static_cast<std::size_t>(step.kernel)][index_of(step.dtype)](
        to, statistics, cut.parts, cut.columns(strip));
  }

  void finish(const std::byte* merged, std::size_t strip, std::size_t part) const {
    if (step.kernel == Rowwise::logsumexp) return;
    const std::size_t first = part * cut.rows, offset = (cut.start(strip) + first * cut.inner) * size;
    kernels::table().finish_columns[static_cast<std::size_t>(step.kernel)][index_of(step.dtype)](
        out + offset, in + offset, std::min(cut.rows, cut.n - first), cut.columns(strip), cut.inner, merged, streamed);
    if (streamed) finish_streaming();
  }
};

}  // namespace

void run_down_columns(const RowwiseStep& step, Slots slots) {
  const Work work{step, at(slots, step.in), at(slots, step.out), streams(step, slots)};
  const Cut& cut = work.cut;
  const std::size_t strips = static_cast<std::size_t>(step.outer) * cut.strips, pieces = strips * cut.parts;
  const std::size_t width = 2 * cut.width * work.size;
  const std::size_t grain = grain_for(static_cast<std::int64_t>(pieces),
                                      4 * static_cast<std::int64_t>(cut.width * std::min(cut.rows, cut.n)));
  if (cut.parts == 1) {
    parallel_for(pieces, grain, [&](std::size_t begin, std::size_t end) {
      auto* statistics = static_cast<std::byte*>(thread_scratch(width));
      for (std::size_t strip = begin; strip < end; ++strip) {
        work.look(statistics, strip, 0);
        work.merge(statistics, strip);
        work.finish(statistics, strip, 0);
      }
    });
    return;
  }
  std::vector<std::byte> statistics(pieces * width);
  auto of_strip = [&](std::size_t strip) { return statistics.data() + strip * cut.parts * width; };
  parallel_for(pieces, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t piece = begin; piece < end; ++piece) {
      const std::size_t strip = piece / cut.parts, part = piece % cut.parts;
      work.look(of_strip(strip) + part * 2 * cut.columns(strip) * work.size, strip, part);
    }
  });
  for (std::size_t strip = 0; strip < strips; ++strip) work.merge(of_strip(strip), strip);
  parallel_for(pieces, grain, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) work.finish(of_strip(begin / cut.parts), begin / cut.parts, begin % cut.parts);
  });
}

}  // namespace lamina::runtime

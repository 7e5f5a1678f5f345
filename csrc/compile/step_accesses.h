// What places in memory a step reads and writes, and which of its rows each row of them belongs to.
#pragma once

#include <vector>

#include "plan/plan.h"

namespace lamina {

// Of a product, for a thread: enough for the register tiles, and for no path of other sums (see matmul_paths.inc).
inline constexpr std::int64_t kLeastRows = 8;

struct Access {
  std::uint32_t slot;
  std::int64_t begin, end;  // bytes
  bool writes;
  std::int64_t rows;  // cut like the step, into this many rows; 0: each share may touch all of it
};

// The rows into which the step's result may be cut, so that shares run alone and no bit changes; 0: it is not cut.
// `wanted`: so many if it may be, such as rows of what it reads, or several rows at a time; 0: any.
std::int64_t rows_of(const Step& step, std::int64_t wanted);

// Do `rows` equal parts of the step, one after the other, give what the whole gives, to the bit?
bool has_rows(const Step& step, std::int64_t rows);

// Does the step sum over all rows of a batch, or parts of such a sum, as gradients of weights and biases do? A product
// only over so many that threads share them.
bool sums_over_rows(const Step& step);

// Does it, or does it follow such sums to update something by them?
bool sums_or_follows(const Step& step);

// Visits what a step that sums over rows reads all rows of.
template <typename Visit>
void visit_summed(const Step& step, Visit visit) {
  if (const auto* reduce = std::get_if<ReduceStep>(&step)) return visit(reduce->in);
  const auto& product = std::get<MatmulStep>(step);
  visit(product.a), visit(product.b);
}

// False if they are not known: the step may touch everything. rows: as cut by rows_of, or what has_rows was asked.
bool find_accesses(const Step& step, std::int64_t rows, std::vector<Access>& accesses);

}  // namespace lamina

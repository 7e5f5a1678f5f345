// Pass: lets large steps over the same rows run block by block of rows, all of them on one block, then on the next.
//
// A variance looks at its operand twice, and what was just standardized is read again by what is done to it next. What
// no cache holds would come from memory each time; a block of rows comes once. Test: tests/cpp/test_block_rows.cpp.
#include <algorithm>
#include <map>
#include <tuple>

#include "compile/access_history.h"
#include "compile/passes.h"

namespace lamina {

namespace {

// The rows that the first steps reduce or normalize one by one; 0: none.
std::int64_t rows_from(const Plan& plan, std::uint32_t first) {
  for (std::uint32_t number = first; number < plan.steps.size(); ++number) {
    const Step& step = plan.steps[number];
    if (const auto* reduce = std::get_if<ReduceStep>(&step)) return reduce->outer;
    if (const auto* rowwise = std::get_if<RowwiseStep>(&step)) return rowwise->outer;
    if (const auto* standardize = std::get_if<StandardizeStep>(&step)) return standardize->rows;
    const auto* pass = std::get_if<ElementwiseStep>(&step);
    if (!pass) return 0;
    if (!pass->reductions.empty()) return pass->outer;
  }
  return 0;
}

// Steps, and the places in memory that they touch row by row.
struct Chain {
  struct Place {
    std::int64_t bytes;
    std::uint32_t touched;  // by how many steps
  };
  std::uint32_t end;
  std::map<std::pair<std::uint32_t, std::int64_t>, Place> places;

  std::int64_t bytes() const {
    std::int64_t all = 0;
    for (const auto& [at, place] : places) all += place.bytes;
    return all;
  }
  // Of places that come from memory once instead of several times.
  std::int64_t shared_bytes() const {
    std::int64_t most = 0;
    for (const auto& [at, place] : places)
      if (place.touched > 1) most = std::max(most, place.bytes);
    return most;
  }
};

Chain chain_from(const Plan& plan, std::uint32_t first, std::int64_t rows) {
  Chain chain{first, {}};
  AccessHistory history;
  std::vector<Access> accesses;
  for (; chain.end < plan.steps.size(); ++chain.end) {
    const Step& step = plan.steps[chain.end];
    if (!has_rows(step, rows) || !find_accesses(step, rows, accesses)) break;
    // Nothing that other rows have read or written.
    if (std::any_of(accesses.begin(), accesses.end(), [&](const Access& one) { return history.after(one) > 0; })) break;
    std::sort(accesses.begin(), accesses.end(),
              [](const Access& a, const Access& b) { return std::tie(a.slot, a.begin) < std::tie(b.slot, b.begin); });
    for (std::size_t i = 0; i < accesses.size(); ++i) {
      const Access& access = accesses[i];
      history.add(access, chain.end);
      bool again = i > 0 && accesses[i - 1].slot == access.slot && accesses[i - 1].begin == access.begin;
      if (access.rows == 0 || again) continue;
      Chain::Place& place = chain.places[{access.slot, access.begin}];
      place = {std::max(place.bytes, access.end - access.begin), place.touched + 1};
    }
  }
  return chain;
}

// What a later step of the chain reads is not sent past the caches.
void keep_what_is_read(Plan& plan, std::uint32_t first, std::uint32_t end, std::int64_t rows) {
  std::vector<Access> accesses, later;
  for (std::uint32_t number = end; number-- > first;) {
    find_accesses(plan.steps[number], rows, accesses);
    bool read = std::any_of(accesses.begin(), accesses.end(), [&](const Access& one) {
      return one.writes && std::any_of(later.begin(), later.end(), [&](const Access& other) {
               return other.slot == one.slot && other.begin < one.end && one.begin < other.end;
             });
    });
    if (auto* pass = std::get_if<ElementwiseStep>(&plan.steps[number])) pass->read_soon = read;
    if (auto* rowwise = std::get_if<RowwiseStep>(&plan.steps[number])) rowwise->read_soon = read;
    if (auto* standardize = std::get_if<StandardizeStep>(&plan.steps[number])) standardize->read_soon = read;
    later.insert(later.end(), accesses.begin(), accesses.end());
  }
}

}  // namespace

void block_rows(Plan& plan, const BlockLimits& limits) {
  auto count = static_cast<std::uint32_t>(plan.steps.size());
  for (std::uint32_t first = 0; first < count; ++first) {
    std::int64_t rows = rows_from(plan, first);
    if (rows < limits.least_rows) continue;
    Chain chain = chain_from(plan, first, rows);
    if (chain.shared_bytes() < limits.least) continue;
    std::int64_t block = std::max<std::int64_t>(1, limits.block / std::max<std::int64_t>(1, chain.bytes() / rows));
    plan.row_blocks.push_back({first, chain.end, rows, block});
    keep_what_is_read(plan, first, chain.end, rows);
    first = chain.end - 1;
  }
}

}  // namespace lamina

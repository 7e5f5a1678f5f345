// Pass: lets threads go through many short steps side by side, each at its own rows, instead of meeting at every step.
//
// Rows of deep, narrow nets hardly depend on each other: a thread that has its rows of one layer may go on to the next.
// It waits only where it reads or overwrites what another one's share of an earlier step writes or reads. Where weights
// are updated, threads take turns with all rows instead: each has its own weights (find_turns.h).
// Test: tests/cpp/test_share_steps.cpp.
#include <algorithm>
#include <numeric>
#include <utility>

#include "compile/access_history.h"
#include "compile/find_turns.h"
#include "compile/passes.h"

namespace lamina {

namespace {

// The rows of what the step reads or writes, as an earlier one cut it.
std::int64_t wanted_rows(const Step& step, const AccessHistory& history, std::vector<Access>& accesses) {
  const auto* pass = std::get_if<ElementwiseStep>(&step);
  if (!pass) return 0;
  std::int64_t rows = 0;
  find_accesses(step, 0, accesses);
  for (const Access& access : accesses)
    if (access.end - access.begin >= pass->numel) rows = std::max(rows, history.rows_of(access));
  return rows;
}

// The parts of a batch's rows by which its steps sum, if one does: others are cut there, too, so that what a thread
// needs of those steps' rows is its own.
std::int64_t parts_of(const Plan& plan, std::uint32_t first, std::uint32_t end) {
  for (; first < end; ++first) {
    const auto* standardize = std::get_if<StandardizeStep>(&plan.steps[first]);
    if (standardize && standardize->sums()) return rows_of(plan.steps[first], 0);
  }
  return 0;
}

// The rows of the first product that goes by rows; 0: there is none.
std::int64_t batch_of(const Plan& plan, std::uint32_t first, std::uint32_t end) {
  for (; first < end; ++first)
    if (std::holds_alternative<MatmulStep>(plan.steps[first]) && !sums_over_rows(plan.steps[first]))
      if (const std::int64_t rows = rows_of(plan.steps[first], 0)) return rows;
  return 0;
}

// From so many neighboring products on that sum over rows, each is done by one thread: half as much of what others
// wrote is read then, and nobody waits.
constexpr std::uint32_t kLeastWhole = 4;

// How many such products there are from a step on.
std::uint32_t count_sums(const Plan& plan, std::uint32_t first, std::uint32_t end) {
  std::uint32_t number = first;
  while (number < end && std::holds_alternative<MatmulStep>(plan.steps[number]) && sums_over_rows(plan.steps[number]))
    ++number;
  return number - first;
}

// Lets each step ask for what comes from afar: the second matrix of the next product, which mostly is a weight.
void look_ahead(Plan& plan, std::uint32_t first, std::uint32_t end) {
  for (std::uint32_t number = end - 1; number-- > first;) {
    Share &share = plan.shares[number], &next = plan.shares[number + 1];
    share.ahead = next.ahead, share.ahead_bytes = next.ahead_bytes;
    const auto* product = std::get_if<MatmulStep>(&plan.steps[number + 1]);
    if (!product || product->c_offsets.size() != 1) continue;
    bool by_rows = product->b_column == 1 && product->b_row == product->n;
    bool by_columns = product->b_row == 1 && product->b_column == product->k;
    auto size = static_cast<std::int64_t>(size_of(product->dtype));
    share.ahead = {product->b.slot, product->b.offset + product->b_offsets[0] * size};
    share.ahead_bytes = by_rows || by_columns ? product->n * product->k * size : 0;
  }
}

// Whether the product's second matrix is a weight as a Linear has it, transposed, that was there before the stretch.
bool is_transposed_input(const Step& step, const std::vector<bool>& written) {
  const auto* product = std::get_if<MatmulStep>(&step);
  return product && product->c_offsets.size() == 1 && product->b_row == 1 && product->b_column == product->k &&
         product->k > 1 && product->b.slot != 0 && !written[product->b.slot];
}

// What the shares of a stretch come to.
struct Sharing {
  std::uint32_t most = 1;  // threads that its rows keep busy
  bool possible = true;    // with these turns
};

// Fills in the stretch's shares and what its turns wait for.
Sharing share(Plan& plan, std::uint32_t first, std::uint32_t end, std::vector<Turn>& turns) {
  AccessHistory history;
  std::uint32_t fence = first;  // nobody goes on before all have come here
  double cut = 0, all = 0;
  std::int64_t most = Stretch::kMostThreads;
  std::uint32_t sums = 0, sums_end = first;  // how many neighboring products sum over rows, and where they end
  std::vector<Access> accesses;
  std::vector<bool> written(plan.slots());
  look_ahead(plan, first, end);
  const std::int64_t parts = parts_of(plan, first, end), batch = batch_of(plan, first, end);
  auto turn = turns.begin();
  bool takes_turns = false;
  for (std::uint32_t number = first; number < end; ++number) {
    const Step& step = plan.steps[number];
    Share& share = plan.shares[number];
    if (turn != turns.end() && number == turn->end) ++turn;
    const bool in_turn = turn != turns.end() && number >= turn->first;
    if (std::exchange(takes_turns, in_turn) != in_turn) fence = number;
    if (number >= sums_end) sums = count_sums(plan, number, end), sums_end = number + std::max(sums, 1u);
    bool whole = in_turn ? sums_or_follows(step) : sums >= kLeastWhole;
    share.transposes = in_turn && !whole && is_transposed_input(step, written);
    std::int64_t wanted = parts > 0 ? parts : wanted_rows(step, history, accesses);
    if (wanted == 0 && std::holds_alternative<ElementwiseStep>(step)) wanted = batch;
    share.rows = whole ? 0 : rows_of(step, wanted);
    share.after = fence;
    all += plan.nanoseconds[number];
    if (whole && !in_turn) most = std::min<std::int64_t>(most, sums);
    if (share.rows > 0 || whole) cut += plan.nanoseconds[number];
    if (const auto* product = std::get_if<MatmulStep>(&step); product && share.rows > 0)
      most = std::min({most, share.rows, product->m / kLeastRows});
    if (!find_accesses(step, share.rows, accesses)) {
      share.after = number;
      fence = number + 1;
      history.clear();
      continue;
    }
    const std::uint32_t own = in_turn ? turn->first : number;
    AccessHistory::Waits waits;
    for (const Access& access : accesses) history.add_waits(access, own, waits);
    for (const Access& access : accesses) history.add(access, number, in_turn ? own : 0);
    for (const Access& access : accesses)
      if (access.writes) written[access.slot] = true;
    share.after = std::max(share.after, waits.all);
    if (!in_turn || whole) continue;
    if (share.rows == 0 || waits.inside > 0) return {.possible = false};
    turn->after = std::max(turn->after, share.after);
    if (waits.rows > fence) turn->after_rows = std::max(turn->after_rows, waits.rows);
  }
  return {2 * cut >= all ? static_cast<std::uint32_t>(most) : 1};
}

bool in_blocks(const Plan& plan, std::uint32_t number) {
  return std::any_of(plan.row_blocks.begin(), plan.row_blocks.end(),
                     [number](const RowBlocks& blocks) { return blocks.first <= number && number < blocks.end; });
}

// Where the first step from `first` on is that takes longer, or is in blocks.
std::uint32_t end_of_short(const Plan& plan, std::uint32_t first, double longest) {
  std::uint32_t end = first;
  while (end < plan.steps.size() && plan.nanoseconds[end] <= longest && !in_blocks(plan, end)) ++end;
  return end;
}

}  // namespace

void share_steps(Plan& plan, const StretchLimits& limits) {
  auto count = static_cast<std::uint32_t>(plan.steps.size());
  if (plan.estimated_nanoseconds < limits.least) return;
  plan.shares.assign(count, {});
  for (std::uint32_t first = 0; first < count;) {
    std::uint32_t end = end_of_short(plan, first, 2 * limits.longest);
    if (end - first < limits.many) end = end_of_short(plan, first, limits.longest);
    const double total = std::accumulate(plan.nanoseconds.begin() + first, plan.nanoseconds.begin() + end, 0.0);
    if (end - first > 1 && total >= limits.least) {
      std::vector<Turn> turns = find_turns(plan, first, end, limits.least_turns);
      Sharing sharing = share(plan, first, end, turns);
      if (!sharing.possible) {
        turns.clear();
        sharing = share(plan, first, end, turns);
      }
      if (sharing.most > 1) plan.stretches.push_back({first, end, sharing.most, std::move(turns)});
    }
    first = end + 1;
  }
  if (plan.stretches.empty()) plan.shares.clear();
}

}  // namespace lamina

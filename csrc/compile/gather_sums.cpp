// Pass: puts short steps that sum over all rows of a batch, as gradients of weights and biases do, behind several that
// go row by row. Threads that go through them side by side then meet once for all of these sums, not for each. Updates
// by these sums come right behind them, not at the program's end.
// Test: tests/cpp/test_share_steps.cpp.
#include <algorithm>

#include "compile/find_updates.h"
#include "compile/passes.h"
#include "compile/step_accesses.h"
#include "compile/visit_locations.h"

namespace lamina {

namespace {

constexpr double kLongest = 50e3;          // nanoseconds of a step that is put off
constexpr std::size_t kLargest = 1 << 18;  // bytes that it reads, which live on
constexpr std::size_t kEnough = 1 << 19;   // bytes that those read which come together: the second-level cache has them
constexpr std::size_t kMostSteps = 32;

// The gradients of so many layers come together: some turns for each of a few threads (find_turns.h), but not so small
// ones that threads wait for each other.
constexpr std::size_t kTurns = 8, kFewestLayers = 4, kMostLayers = 8;

bool makes(const Step& step, std::uint32_t node) {
  if (const auto* reduce = std::get_if<ReduceStep>(&step)) return reduce->out.slot == node;
  const auto* product = std::get_if<MatmulStep>(&step);
  return product && (product->c.slot == node || (product->has_update && product->updated.slot == node));
}

int rank(const Step& step) {
  return std::holds_alternative<MatmulStep>(step) ? 0 : std::holds_alternative<ReduceStep>(step) ? 1 : 2;
}

class Order {
 public:
  Order(const Program& program, Plan& plan) : program_(program), plan_(plan), updates_(program, plan) {
    const auto layers = std::count_if(plan.steps.begin(), plan.steps.end(), [](const Step& step) {
      return std::holds_alternative<MatmulStep>(step) && sums_over_rows(step);
    });
    layers_ = std::clamp(static_cast<std::size_t>(layers) / kTurns, kFewestLayers, kMostLayers);
    for (std::uint32_t number = 0; number < plan.steps.size(); ++number) {
      if (!follows_sums(number)) add(number);
      for (std::uint32_t update : updates_.behind(number)) put_off_update(update);
    }
    make_up();
  }

  const std::vector<std::uint32_t>& order() const { return order_; }

 private:
  void add(std::uint32_t number) {
    Step& step = plan_.steps[number];
    const bool is_short = plan_.nanoseconds[number] <= kLongest;
    visit_locations(step, [this](Location& place) { make_up_for(place.slot); });
    if (is_short && sums_over_rows(step) && bytes_of(step) <= kLargest) return put_off(number);
    // Before the next layer's rows, which are another thread's (find_turns.h), but with what leads there.
    if (std::holds_alternative<MatmulStep>(step) && are_enough()) make_up();
    order_.push_back(number);
  }

  bool follows_sums(std::uint32_t number) const {
    const auto* pass = std::get_if<ElementwiseStep>(&plan_.steps[number]);
    return pass && pass->follows_sums;
  }

  // Not behind sums that are not put off: at the end, where it is now, short steps come together.
  void put_off_update(std::uint32_t number) {
    Step& step = plan_.steps[number];
    if (plan_.nanoseconds[number] > kLongest) return;
    bool waits = false;
    visit_locations(step, [&](const Location& place) { waits |= maker(place.slot) != waiting_.end(); });
    if (!waits) return;
    std::get<ElementwiseStep>(step).follows_sums = true;
    put_off(number);
  }

  std::size_t bytes_of(const Step& step) const {
    std::size_t bytes = 0;
    if (!sums_over_rows(step)) return bytes;
    visit_summed(step, [&](const Location& read) { bytes += program_[read.slot].bytes(); });
    return bytes;
  }

  void put_off(std::uint32_t number) {
    std::size_t bytes = bytes_of(plan_.steps[number]);
    if (bytes_ + bytes > 2 * kEnough || waiting_.size() == kMostSteps) make_up();
    waiting_.push_back(number);
    bytes_ += bytes;
    products_ += std::holds_alternative<MatmulStep>(plan_.steps[number]);
  }

  bool are_enough() const { return products_ >= layers_ || bytes_ >= kEnough; }

  // Somebody reads the node now.
  void make_up_for(std::uint32_t node) {
    const auto sum = maker(node);
    if (sum == waiting_.end()) return;
    if (are_enough()) return make_up();
    bytes_ -= bytes_of(plan_.steps[*sum]);
    products_ -= std::holds_alternative<MatmulStep>(plan_.steps[*sum]);
    order_.push_back(*sum);
    waiting_.erase(sum);
  }

  std::vector<std::uint32_t>::const_iterator maker(std::uint32_t node) const {
    return std::find_if(waiting_.begin(), waiting_.end(),
                        [&](std::uint32_t number) { return makes(plan_.steps[number], node); });
  }

  // Products first, updates last: steps of one kind are shared out evenly.
  void make_up() {
    std::stable_sort(waiting_.begin(), waiting_.end(), [this](std::uint32_t one, std::uint32_t other) {
      return rank(plan_.steps[one]) < rank(plan_.steps[other]);
    });
    order_.insert(order_.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
    bytes_ = products_ = 0;
  }

  const Program& program_;
  Plan& plan_;
  const Updates updates_;
  std::vector<std::uint32_t> waiting_, order_;
  std::size_t bytes_ = 0, products_ = 0, layers_ = 0;
};

}  // namespace

void gather_sums(Program& program, Plan& plan) {
  const std::vector<std::uint32_t> order = Order(program, plan).order();
  if (std::is_sorted(order.begin(), order.end())) return;
  Plan sorted;
  std::vector<std::uint32_t> renumbered(order.size());
  sorted.steps.reserve(order.size());
  for (std::uint32_t number : order) {
    renumbered[number] = static_cast<std::uint32_t>(sorted.steps.size());
    sorted.steps.push_back(std::move(plan.steps[number]));
    sorted.nanoseconds.push_back(plan.nanoseconds[number]);
    sorted.notes.push_back(std::move(plan.notes[number]));
  }
  plan.steps = std::move(sorted.steps);
  plan.nanoseconds = std::move(sorted.nanoseconds);
  plan.notes = std::move(sorted.notes);
  for (Node& node : program.nodes)
    if (node.step != kNone) node.step = renumbered[node.step];
}

}  // namespace lamina

// Finds turns by the weights that are updated at their ends. Test: tests/cpp/test_find_turns.cpp.
#include "compile/find_turns.h"

#include <map>
#include <utility>

#include "compile/step_accesses.h"

namespace lamina {

namespace {

constexpr std::uint32_t kNobody = static_cast<std::uint32_t>(-1);

using Place = std::pair<std::uint32_t, std::int64_t>;

Place place_of(const Location& location) { return {location.slot, location.offset}; }

// Visits what a step that sums over rows, or follows such sums, updates.
template <typename Visit>
void visit_updated(const Step& step, Visit visit) {
  if (const auto* product = std::get_if<MatmulStep>(&step); product && product->has_update) visit(product->base);
  if (const auto* pass = std::get_if<ElementwiseStep>(&step))
    for (const auto& instruction : pass->instructions)
      if (const auto& out = pass->registers[instruction.out]; out.kind == ElementwiseStep::Kind::kContiguous)
        visit(out.location);
}

// The owners of weights by where these lie. Sums and updates that come together, as gather_sums puts them, have one;
// the last ones the first, as the weights that are updated last are the first to be read.
class Owners {
 public:
  Owners(const Plan& plan, std::uint32_t first, std::uint32_t end) : plan_(plan), end_(end) {
    for (bool together = false; end-- > first;) {
      const Step& step = plan.steps[end];
      if (!sums_or_follows(step))
        together = false;
      else
        visit_updated(step, [&](const Location& weight) {
          if (!std::exchange(together, true)) ++count_;
          owners_.insert({place_of(weight), count_ - 1});
        });
    }
  }

  std::uint32_t count() const { return count_; }
  // `before`: the owner of the step before. after_sums: does that one sum over all rows, or follow such sums?
  std::uint32_t of(std::uint32_t number, std::uint32_t before, bool after_sums) const {
    const Step& step = plan_.steps[number];
    const auto* product = std::get_if<MatmulStep>(&step);
    if (sums_or_follows(step)) return product && product->has_update ? of_weight(product->base) : before;
    if (rows_of(step, 0) == 0) return kNobody;
    if (product) return of_factor(*product);
    return after_sums ? of_next_product(number, before) : before;
  }

 private:
  std::uint32_t of_weight(const Location& weight) const {
    auto found = owners_.find(place_of(weight));
    return found == owners_.end() ? kNobody : found->second;
  }
  std::uint32_t of_factor(const MatmulStep& product) const {
    Location weight = product.b;
    weight.offset += product.b_offsets[0] * static_cast<std::int64_t>(size_of(product.dtype));
    return of_weight(weight);
  }
  // Of the product that a row-by-row step leads to; `otherwise`, if there is none. Turns end in sums: as the end of a
  // turn that has had its sums, the step would wait for these.
  std::uint32_t of_next_product(std::uint32_t number, std::uint32_t otherwise) const {
    for (; number < end_ && !sums_or_follows(plan_.steps[number]) && rows_of(plan_.steps[number], 0) > 0; ++number)
      if (const auto* product = std::get_if<MatmulStep>(&plan_.steps[number])) return of_factor(*product);
    return otherwise;
  }

  const Plan& plan_;
  std::map<Place, std::uint32_t> owners_;
  std::uint32_t count_ = 0, end_;
};

}  // namespace

std::vector<Turn> find_turns(const Plan& plan, std::uint32_t first, std::uint32_t end, std::uint32_t least) {
  const Owners owners(plan, first, end);
  std::vector<Turn> turns;
  if (owners.count() < least) return turns;
  std::uint32_t before = kNobody;
  bool sums = false;
  for (std::uint32_t number = first; number < end; ++number) {
    const std::uint32_t owner = owners.of(number, before, sums);
    const bool goes_on = owner == before && (!sums || sums_or_follows(plan.steps[number]));
    sums = sums_or_follows(plan.steps[number]);
    before = owner;
    if (owner == kNobody) continue;
    if (goes_on)
      turns.back().end = number + 1;
    else
      turns.push_back({number, number + 1, owner});
  }
  return turns;
}

}  // namespace lamina

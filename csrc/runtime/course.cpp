// The order of a place's shares, and what the progress of another place means for them.
#include "runtime/course.h"

#include <algorithm>

#include "runtime/kept_weights.h"
#include "runtime/run_stretch.h"

namespace lamina::runtime {

bool Course::has_share() const {
  if (in_turn()) return owns(turn()) && (share().rows > 0 || part_ + 1 == members_);
  return share().rows > 0 || step_ % members_ == place_;  // steps that are not cut go to the places in turn
}

std::uint32_t Course::after() const {
  const std::uint32_t first = begins_part() ? turn().after : 0;
  return in_turn() && share().rows > 0 ? first : std::max(first, share().after);
}

std::uint32_t Course::needed_of(std::uint32_t other) const {
  const std::uint32_t all = when_all_done(after());
  return needs_rows() ? std::max(all, when_rows_done(turn().after_rows, other)) : all;
}

void Course::transpose_weights(Slots slots) {
  if (members_ == 1 || part_ > 0 || kept_ != 0 || !begins_part() || !share().transposes) return;
  kept_ = begin_keeping();
  for (std::uint32_t step = turn().first; step < turn().end; ++step) {
    if (!plan_->shares[step].transposes) continue;
    const auto& product = std::get<MatmulStep>(plan_->steps[step]);
    const auto bytes = static_cast<std::size_t>(product.n * product.k) * size_of(product.dtype);
    if (std::byte* to = keep_weight(step - turn().first, bytes)) transpose_weight(product, slots, to);
  }
}

// Which share's `ahead` is asked for with this one's.
std::uint32_t Course::asking() const {
  if (!in_turn()) return step_;
  const std::uint32_t following = step_ + 1;
  const bool ends = following == turn().end;
  // What sums over all rows read has not been looked at since the way forward.
  if (!ends && part_ + 1 == members_ && plan_->shares[following].rows == 0)
    return std::holds_alternative<MatmulStep>(plan_->steps[following]) ? step_ : kNoShare;
  // The weights have been asked for with the first rows; those of the next turn are another owner's.
  if (kept_ == 0) return part_ == 0 && !ends ? step_ : kNoShare;
  // The weights are there. With the last rows those of the place's next turn are asked for.
  if (part_ + 1 < members_) return kNoShare;
  for (std::size_t next = turn_ + 1; next < stretch_->turns.size(); ++next) {
    const Turn& other = stretch_->turns[next];
    const std::uint32_t step = other.first + (step_ - turn().first);
    if (owns(other)) return step < other.end && plan_->shares[step].transposes ? step - 1 : kNoShare;
  }
  return kNoShare;
}

void Course::run_share(Slots slots) const {
  if (!in_turn()) return runtime::run_share(*plan_, slots, step_, place_, members_, step_);
  runtime::run_share(*plan_, slots, step_, part_, members_, asking(), {kept_, step_ - turn().first});
}

void Course::go_on() {
  if (!in_turn()) {
    ++step_;
    return;
  }
  const Turn& turn = this->turn();
  const std::uint32_t next = step_ + 1;
  if (!owns(turn)) {
    step_ = turn.end;
  } else if (part_ + 1 < members_ && (next == turn.end || plan_->shares[next].rows == 0)) {
    step_ = turn.first;
    ++part_;
    return;
  } else {
    step_ = next;
  }
  if (step_ == turn.end) ++turn_, part_ = 0, kept_ = 0;
}

std::uint32_t Course::steps_below(std::uint32_t progress) const {
  const std::uint32_t step = progress / members_;
  const Turn* turn = turn_of(step);
  return turn != nullptr ? turn->first : step;
}

std::size_t Course::turns_up_to(std::uint32_t step) const {
  const auto& turns = stretch_->turns;
  const auto later = [](std::uint32_t number, const Turn& turn) { return number < turn.first; };
  return static_cast<std::size_t>(std::upper_bound(turns.begin(), turns.end(), step, later) - turns.begin());
}

const Turn* Course::turn_of(std::uint32_t step) const {
  const std::size_t count = turns_up_to(step);
  return count > 0 && step < stretch_->turns[count - 1].end ? &stretch_->turns[count - 1] : nullptr;
}

// Where a place has come that has done all rows of the steps below `steps`.
std::uint32_t Course::when_all_done(std::uint32_t steps) const {
  return steps == 0 ? 0 : progress_at(steps, turn_of(steps - 1), members_ - 1);
}

// Where another place has come that has done, in its turns, this part of the rows of the steps below `steps`.
std::uint32_t Course::when_rows_done(std::uint32_t steps, std::uint32_t other) const {
  for (std::size_t count = turns_up_to(steps - 1); count-- > 0;) {
    const Turn& turn = stretch_->turns[count];
    if (turn.owner % members_ == other) return progress_at(std::min(steps, turn.end), &turn, part_);
  }
  return 0;
}

}  // namespace lamina::runtime

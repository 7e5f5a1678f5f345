// A place's way through a stretch: which shares are its own, in what order, and how far others must have come for each.
//
// How far a place has come is a number: that of the step that it is at, times the number of places. Within a turn it
// counts the steps of the first part of the rows, then those of the next: as many in all.
#pragma once

#include <cstdint>

#include "plan/plan.h"
#include "runtime/steps.h"

namespace lamina::runtime {

class Course {
 public:
  Course() = default;
  Course(const Plan& plan, const Stretch& stretch, std::uint32_t place, std::uint32_t members)
      : plan_(&plan), stretch_(&stretch), place_(place), members_(members), step_(stretch.first) {}

  std::uint32_t step() const { return step_; }
  bool ended() const { return step_ == stretch_->end; }
  std::uint32_t progress() const { return progress_at(step_, in_turn() ? &turn() : nullptr, part_); }

  // Whether there is a share to do where the place is, or it only has to go on.
  bool has_share() const;
  // The share may be done when all have done the steps below `after` and, where it needs rows of other turns, each
  // other place has come to where `needed_of` says, which includes that.
  std::uint32_t after() const;
  bool needs_rows() const { return begins_part() && turn().after_rows > 0; }
  std::uint32_t needed_of(std::uint32_t other) const;
  // Before a turn, which may have to wait: brings its weights into the order in which products are quickest.
  void transpose_weights(Slots slots);
  void run_share(Slots slots) const;
  void go_on();

  // All steps below this number are done where a place has come so far. There may be more.
  std::uint32_t steps_below(std::uint32_t progress) const;

 private:
  const Share& share() const { return plan_->shares[step_]; }
  const Turn& turn() const { return stretch_->turns[turn_]; }
  bool in_turn() const { return turn_ < stretch_->turns.size() && step_ >= turn().first; }
  bool owns(const Turn& turn) const { return turn.owner % members_ == place_; }
  bool begins_part() const { return in_turn() && owns(turn()) && step_ == turn().first; }
  std::uint32_t progress_at(std::uint32_t step, const Turn* turn, std::uint32_t part) const {
    if (turn == nullptr) return step * members_;
    return turn->first * members_ + part * (turn->end - turn->first) + step - turn->first;
  }
  std::uint32_t asking() const;
  // How many turns begin at or before a step, and the one that the step is in, or null.
  std::size_t turns_up_to(std::uint32_t step) const;
  const Turn* turn_of(std::uint32_t step) const;
  std::uint32_t when_all_done(std::uint32_t steps) const;
  std::uint32_t when_rows_done(std::uint32_t steps, std::uint32_t other) const;

  const Plan* plan_ = nullptr;
  const Stretch* stretch_ = nullptr;
  std::uint32_t place_ = 0, members_ = 1;
  std::uint32_t step_ = 0, part_ = 0;
  std::size_t turn_ = 0;    // that the place is in or comes to next
  std::uint64_t kept_ = 0;  // the number of the turn by kept_weights.h; 0: it keeps none
};

}  // namespace lamina::runtime

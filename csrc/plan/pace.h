// What a plan has learnt from its runs: whether several threads get through one of its stretches sooner than one alone.
//
// No model can know: threads that go side by side fetch each other's results, which takes as long as the processors are
// far apart, and a processor may be shared with somebody else. So runs of both kinds are timed in turn now and then,
// and the other kind is taken up if it wins most of these rounds. The results have the same bits either way.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace lamina {

// Several Python threads may run one plan: what they lose of each other's counts does no harm.
class Pace {
 public:
  static constexpr std::uint32_t kWarmUp = 2, kOften = 128, kSeldom = 1024;  // runs between comparisons
  static constexpr std::uint32_t kRounds = 8, kRunsOfRound = 4;              // two of each kind; the second one counts

  Pace() = default;
  Pace(const Pace&) noexcept {}  // a copied plan begins anew
  Pace& operator=(const Pace&) = delete;

  // Whether the next run should be on several threads.
  bool together() const { return together_.load(kRelaxed) != tries_other(turn()); }

  // How long the run took.
  void note(float nanoseconds) {
    const std::uint32_t turn = this->turn();
    run_.fetch_add(1, kRelaxed);
    if (turn % 2 == 0) return;
    if (!tries_other(turn)) return kept_.store(nanoseconds, kRelaxed);
    if (nanoseconds < kGain * kept_.load(kRelaxed)) wins_.fetch_add(1, kRelaxed);
    if (turn + 1 == kRounds * kRunsOfRound) judge();
  }

 private:
  static constexpr auto kRelaxed = std::memory_order_relaxed;
  static constexpr float kGain = 0.95F;  // of the time, that makes a change worthwhile
  static constexpr std::uint32_t kMostRounds = kRounds * 3 / 4;

  // Of a comparison, from 0 on; 0 before it, too.
  std::uint32_t turn() const {
    const std::uint32_t run = run_.load(kRelaxed), wait = wait_.load(kRelaxed);
    return run < wait ? 0 : run - wait;
  }
  static bool tries_other(std::uint32_t turn) { return turn % kRunsOfRound >= 2; }

  void judge() {
    const bool changes = wins_.load(kRelaxed) >= kMostRounds;
    if (changes) together_.store(!together_.load(kRelaxed), kRelaxed);
    wait_.store(changes ? kOften : std::clamp(2 * wait_.load(kRelaxed), kOften, kSeldom), kRelaxed);
    run_.store(0, kRelaxed);
    wins_.store(0, kRelaxed);
  }

  std::atomic<bool> together_{true};
  std::atomic<std::uint32_t> run_{0}, wait_{kWarmUp};  // runs since the last comparison; until the next
  std::atomic<std::uint32_t> wins_{0};                 // rounds that the other kind has won
  std::atomic<float> kept_{0};                         // nanoseconds of this round's run of the usual kind
};

}  // namespace lamina

// A crew of threads goes through a stretch of steps. Each has a place in the crew, which decides on its share of every
// step, and says how far it has come; it waits only where the plan says so.
//
// No thread is waited for that has not come: who would have to, takes its place over and has two (or more) from then
// on. Who has several always goes on with the one that is furthest behind, so somebody can always go on.
#include "runtime/run_stretch.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <thread>

#include "runtime/pause.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

constexpr int kPatience = 1 << 12;  // looks at another's progress before the processor is offered to others

class Crew {
 public:
  Crew(const Plan& plan, const Stretch& stretch, Slots slots, std::uint32_t members)
      : plan_(plan), stretch_(stretch), slots_(slots), members_(members) {
    for (std::uint32_t place = 0; place < members; ++place) progress_[place].done.store(stretch.first);
  }

  // Takes a place, if one is left, and goes through the stretch.
  void work() {
    Member me{0, stretch_.first};
    if (!take_place(me.places)) return;
    try {
      while (go_on(me)) {
      }
    } catch (...) {
      failed_.store(true);  // the others need not wait for what will not come
      throw;
    }
  }

 private:
  struct alignas(64) Progress {
    std::atomic<std::uint32_t> done{0};  // the number of the step to do next
  };

  struct Member {
    std::uint64_t places;  // a bit each
    std::uint32_t met;     // all have done the steps below: looking again would fetch what they write to
  };

  bool take_place(std::uint64_t& mine) {
    std::uint32_t place = taken_.fetch_add(1);
    if (place >= members_) return false;
    mine |= std::uint64_t{1} << place;
    return true;
  }

  // One share of a step. False if there is nothing left to do.
  bool go_on(Member& me) {
    std::uint32_t place = 0, step = stretch_.end;
    for (std::uint64_t left = me.places; left != 0; left &= left - 1) {
      auto other = static_cast<std::uint32_t>(std::countr_zero(left));
      std::uint32_t next = progress_[other].done.load(std::memory_order_relaxed);
      if (next < step) place = other, step = next;
    }
    if (step == stretch_.end || failed_.load(std::memory_order_relaxed)) return false;
    if (has_share(plan_.shares[step], step, place, members_)) {
      std::uint32_t after = plan_.shares[step].after;
      if (after > me.met && !await_all(after, me)) return true;  // with another place
      run_share(plan_, slots_, step, place, members_);
    }
    progress_[place].done.store(step + 1, std::memory_order_release);
    return true;
  }

  // Waits until all have done the steps below `after`. False if the wait would have been for nobody: then that place
  // has been taken.
  bool await_all(std::uint32_t after, Member& me) {
    std::uint32_t met = stretch_.end;
    for (std::uint32_t place = 0; place < members_; ++place) {
      if (me.places >> place & 1) continue;
      std::uint32_t done;
      for (int looks = 0; (done = progress_[place].done.load(std::memory_order_acquire)) < after; ++looks) {
        if (taken_.load() <= place && take_place(me.places)) return false;
        if (failed_.load(std::memory_order_relaxed)) return false;
        if (looks < kPatience)
          pause_briefly();
        else
          std::this_thread::yield();
      }
      met = std::min(met, done);
    }
    me.met = met;
    return true;
  }

  const Plan& plan_;
  const Stretch& stretch_;
  Slots slots_;
  std::uint32_t members_;
  std::atomic<std::uint32_t> taken_{0};
  std::atomic<bool> failed_{false};
  std::array<Progress, Stretch::kMostThreads> progress_;
};

}  // namespace

void run_share(const Plan& plan, Slots slots, std::uint32_t number, std::uint32_t place, std::uint32_t members) {
  const Step& step = plan.steps[number];
  const Share& share = plan.shares[number];
  std::int64_t rows = share.rows, begin = rows * place / members, end = rows * (place + 1) / members;
  if (const auto* product = std::get_if<MatmulStep>(&step); product && product->c_offsets.size() == 1) {
    const std::byte* ahead = share.ahead_bytes > 0 ? at(slots, share.ahead) : nullptr;
    return run_rows(*product, slots, begin, rows > 0 ? end : product->m, {ahead, ahead + share.ahead_bytes});
  }
  if (rows == 0) return std::visit([slots](const auto& one) { run(one, slots); }, step);
  std::visit(
      [&](const auto& one) {
        if constexpr (requires { run_rows(one, slots, rows, begin, end); }) run_rows(one, slots, rows, begin, end);
      },
      step);
}

void run_row_blocks(const Plan& plan, const RowBlocks& blocks, Slots slots) {
  constexpr std::int64_t kChunks = 8;  // of each thread's rows, at least
  std::int64_t most = (blocks.rows + kChunks * num_threads() - 1) / (kChunks * num_threads());
  parallel_for(static_cast<std::size_t>(blocks.rows), static_cast<std::size_t>(std::min(blocks.block, most)),
               [&](std::size_t begin, std::size_t end) {
                 for (std::uint32_t number = blocks.first; number < blocks.end; ++number)
                   std::visit(
                       [&](const auto& one) {
                         if constexpr (requires { run_rows(one, slots, blocks.rows, 0, 0); })
                           run_rows(one, slots, blocks.rows, static_cast<std::int64_t>(begin),
                                    static_cast<std::int64_t>(end));
                       },
                       plan.steps[number]);
               });
}

void run_stretch(const Plan& plan, const Stretch& stretch, Slots slots, std::uint32_t members) {
  using Clock = std::chrono::steady_clock;
  if (!stretch.pace.together()) members = 1;
  const Clock::time_point begin = Clock::now();
  Crew crew(plan, stretch, slots, std::min(members, Stretch::kMostThreads));
  parallel_for(members, 1, [&crew](std::size_t, std::size_t) { crew.work(); });
  stretch.pace.note(std::chrono::duration<float, std::nano>(Clock::now() - begin).count());
}

}  // namespace lamina::runtime

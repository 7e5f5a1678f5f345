// A crew of threads goes through a stretch of steps. Each has a place in the crew, which decides on its course
// (course.h) through the shares of the steps, and says how far it has come; it waits only where the plan says so.
//
// No thread is waited for that has not come: who would have to, takes its place over and has two (or more) until a
// thread comes late and is given one. Who has several always goes on with the one that is furthest behind, so somebody
// can always go on.
#include "runtime/run_stretch.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <thread>

#include "runtime/course.h"
#include "runtime/pause.h"
#include "runtime/thread_pool.h"

namespace lamina::runtime {

namespace {

constexpr int kPatience = 1 << 12;  // looks at another's progress before the processor is offered to others

class Crew {
 public:
  Crew(const Plan& plan, const Stretch& stretch, Slots slots, std::uint32_t members, StepTimes* times)
      : end_(stretch.end), slots_(slots), members_(members), times_(times) {
    for (std::uint32_t place = 0; place < members; ++place) {
      places_[place].course = Course(plan, stretch, place, members);
      places_[place].progress.store(places_[place].course.progress());
    }
  }

  // Takes a place, if there is one, and goes through the stretch.
  void work() {
    Member me{0, 0};
    if (!take_place(me.places) && !await_place(me.places)) return;
    try {
      while (go_on(me)) {
      }
      ending_.store(true, std::memory_order_relaxed);
    } catch (...) {
      failed_.store(true);  // the others need not wait for what will not come
      throw;
    }
  }

 private:
  struct Place {
    alignas(64) std::atomic<std::uint32_t> progress{0};
    alignas(64) Course course;  // its member's own
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

  // Waits for a place that another member has taken over. False if one of them comes to the end first.
  bool await_place(std::uint64_t& mine) {
    seekers_.fetch_add(1, std::memory_order_relaxed);
    for (;;) {
      std::uint64_t offered = offered_.load(std::memory_order_relaxed), first = offered & -offered;
      if (first != 0 && offered_.compare_exchange_weak(offered, offered & ~first, std::memory_order_acquire)) {
        mine |= first;
        return true;
      }
      if ((ending_.load(std::memory_order_relaxed) || failed_.load(std::memory_order_relaxed)) && drop_seeker())
        return false;
      pause_briefly();
    }
  }

  // Of those who are not yet offered a place, one less; false if there is none.
  bool drop_seeker() {
    std::uint32_t seekers = seekers_.load(std::memory_order_relaxed);
    while (seekers > 0 && !seekers_.compare_exchange_weak(seekers, seekers - 1, std::memory_order_relaxed)) {
    }
    return seekers > 0;
  }

  // Who has several places gives one to who has come late.
  void share_places(Member& me) {
    if (std::has_single_bit(me.places) || seekers_.load(std::memory_order_relaxed) == 0 || !drop_seeker()) return;
    const std::uint64_t last = std::bit_floor(me.places);
    me = {me.places & ~last, 0};  // how far its own places had come has not been looked at
    offered_.fetch_or(last, std::memory_order_release);
  }

  // One share of a step. False if there is nothing left to do.
  bool go_on(Member& me) {
    share_places(me);
    std::uint32_t place = 0, least = end_ * members_;
    for (std::uint64_t left = me.places; left != 0; left &= left - 1) {
      auto other = static_cast<std::uint32_t>(std::countr_zero(left));
      std::uint32_t progress = places_[other].progress.load(std::memory_order_relaxed);
      if (progress < least) place = other, least = progress;
    }
    if (least == end_ * members_ || failed_.load(std::memory_order_relaxed)) return false;
    Course& course = places_[place].course;
    if (course.has_share()) {
      course.transpose_weights(slots_);
      if ((course.after() > me.met || course.needs_rows()) && !await_others(course, me))
        return true;  // with another place
      StepTimes::share(times_, course.step(), [&] { course.run_share(slots_); });
    }
    course.go_on();
    places_[place].progress.store(course.progress(), std::memory_order_release);
    return true;
  }

  // Waits until all others have come to where the next share needs them. False if the wait would have been for nobody:
  // then that place has been taken.
  bool await_others(const Course& course, Member& me) {
    std::uint32_t least = end_ * members_;
    for (std::uint32_t place = 0; place < members_; ++place) {
      if (me.places >> place & 1) continue;
      const std::uint32_t needed = course.needed_of(place);
      std::uint32_t progress;
      for (int looks = 0; (progress = places_[place].progress.load(std::memory_order_acquire)) < needed; ++looks) {
        if (taken_.load() <= place && take_place(me.places)) return false;
        if (failed_.load(std::memory_order_relaxed)) return false;
        if (looks < kPatience)
          pause_briefly();
        else
          std::this_thread::yield();
      }
      least = std::min(least, progress);
    }
    me.met = std::max(me.met, course.steps_below(least));
    return true;
  }

  const std::uint32_t end_;
  Slots slots_;
  std::uint32_t members_;
  StepTimes* times_;
  std::atomic<std::uint32_t> taken_{0};
  std::atomic<bool> failed_{false}, ending_{false};
  alignas(64) std::atomic<std::uint32_t> seekers_{0};  // threads without a place, which others have taken over
  std::atomic<std::uint64_t> offered_{0};              // places for them, a bit each
  std::array<Place, Stretch::kMostThreads> places_;
};

}  // namespace

void run_share(const Plan& plan, Slots slots, std::uint32_t number, std::uint32_t place, std::uint32_t members,
               std::uint32_t asking, KeptWeight kept) {
  const Step& step = plan.steps[number];
  const Share& share = plan.shares[number];
  std::int64_t rows = share.rows, begin = rows * place / members, end = rows * (place + 1) / members;
  if (const auto* product = std::get_if<MatmulStep>(&step); product && product->c_offsets.size() == 1) {
    const std::int64_t bytes = asking != kNoShare ? plan.shares[asking].ahead_bytes : 0;
    const std::byte* ahead = bytes > 0 ? at(slots, plan.shares[asking].ahead) : nullptr;
    const std::int64_t each = rows > 0 ? product->m / rows : product->m;
    return run_rows(*product, slots, begin * each, rows > 0 ? end * each : each, {ahead, ahead + bytes}, kept);
  }
  if (rows == 0) return std::visit([slots](const auto& one) { run(one, slots); }, step);
  std::visit(
      [&](const auto& one) {
        if constexpr (requires { run_rows(one, slots, rows, begin, end); }) run_rows(one, slots, rows, begin, end);
      },
      step);
}

void run_row_blocks(const Plan& plan, const RowBlocks& blocks, Slots slots, StepTimes* times) {
  constexpr std::int64_t kChunks = 8;  // of each thread's rows, at least
  std::int64_t most = (blocks.rows + kChunks * num_threads() - 1) / (kChunks * num_threads());
  parallel_for(static_cast<std::size_t>(blocks.rows), static_cast<std::size_t>(std::min(blocks.block, most)),
               [&](std::size_t begin, std::size_t end) {
                 const auto run_block = [&](const auto& one) {
                   if constexpr (requires { run_rows(one, slots, blocks.rows, 0, 0); })
                     run_rows(one, slots, blocks.rows, static_cast<std::int64_t>(begin),
                              static_cast<std::int64_t>(end));
                 };
                 for (std::uint32_t number = blocks.first; number < blocks.end; ++number)
                   StepTimes::share(times, number, [&] { std::visit(run_block, plan.steps[number]); });
               });
}

void run_stretch(const Plan& plan, const Stretch& stretch, Slots slots, std::uint32_t members, StepTimes* times) {
  using Clock = std::chrono::steady_clock;
  if (!stretch.pace.together()) members = 1;
  const Clock::time_point begin = Clock::now();
  Crew crew(plan, stretch, slots, std::min(members, Stretch::kMostThreads), times);
  parallel_for(members, 1, [&crew](std::size_t, std::size_t) { crew.work(); });
  stretch.pace.note(std::chrono::duration<float, std::nano>(Clock::now() - begin).count());
}

}  // namespace lamina::runtime

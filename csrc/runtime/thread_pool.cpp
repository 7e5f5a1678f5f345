// The thread pool: one job at a time is offered to workers that spin briefly for it and then park.
//
// `state_` holds a ticket above the number of workers at the job. An odd ticket is an open job. A worker enters by
// adding one, and takes it back if the job turned out to be closed; so the caller, having closed the job, waits only
// for workers that are really in it, never for one that is still waking up.
#include "runtime/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/pause.h"

namespace lamina::runtime {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kSpinTime = std::chrono::microseconds(30);   // of a worker without a job
constexpr auto kPatience = std::chrono::microseconds(200);  // of a caller whose last chunks are with others
constexpr int kPausesPerClockRead = 16;
constexpr std::uint64_t kTicket = std::uint64_t{1} << 32;
constexpr std::uint64_t kWorkersMask = kTicket - 1;
constexpr std::size_t kMostShares = 64;

// True while this thread runs chunks: what it starts then, it runs alone.
thread_local bool working = false;

class Pool {
 public:
  explicit Pool(Pool* abandoned) : abandoned_(abandoned) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // False if another thread has the pool: nothing was run then. Raises what a chunk raised, when no other chunk runs
  // any more.
  bool try_run(int threads, std::size_t chunks, std::size_t count, std::size_t grain, RangeBody body, void* context) {
    if (busy_.test_and_set(std::memory_order_acquire)) return false;
    if (stopped_) {
      busy_.clear(std::memory_order_release);
      return false;
    }
    if (threads != wanted_threads_) resize(threads);
    if (const int cpu = sched_getcpu(); cpu != callers_cpu_) keep_workers_off(cpu);
    body_ = body;
    context_ = context;
    count_ = count;
    grain_ = grain;
    share_out(chunks);
    state_.fetch_add(kTicket);  // opens the job; sequentially consistent, as `sleepers_` below: one side sees the other
    if (sleepers_.load() != 0) wake(chunks - 1);
    run_chunks(0);
    if ((state_.fetch_add(kTicket, std::memory_order_acq_rel) & kWorkersMask) != 0) wait_for_workers();
    std::exception_ptr failure = std::exchange(failure_, nullptr);
    failed_.store(false, std::memory_order_relaxed);
    busy_.clear(std::memory_order_release);
    if (failure) std::rethrow_exception(std::move(failure));
    return true;
  }

  // Joins the workers. A job that another thread still runs is finished by that thread.
  void stop() {
    while (busy_.test_and_set(std::memory_order_acquire)) sched_yield();
    stop_workers();
    stopped_ = true;
    busy_.clear(std::memory_order_release);
  }

 private:
  // Chunks that are a thread's own to begin with: the same part of every job, so that the next one finds in a core's
  // caches what this one leaves there.
  struct alignas(64) Share {
    std::atomic<std::size_t> next{0};
    std::size_t end = 0;
  };

  void share_out(std::size_t chunks) {
    for (std::size_t i = 0; i < share_count_; ++i) {
      shares_[i].next.store(chunks * i / share_count_, std::memory_order_relaxed);
      shares_[i].end = chunks * (i + 1) / share_count_;
    }
  }

  // The chunks of a thread's own share, then what the others have left.
  void run_chunks(std::size_t own) {
    working = true;
    try {
      for (std::size_t i = own; i < own + share_count_; ++i) {
        Share& share = shares_[i % share_count_];
        for (std::size_t chunk; (chunk = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
          const std::size_t begin = chunk * grain_;
          body_(context_, begin, std::min(count_, begin + grain_));
        }
      }
    } catch (...) {
      for (std::size_t i = 0; i < share_count_; ++i)  // no chunk begins any more
        shares_[i].next.store(shares_[i].end, std::memory_order_relaxed);
      if (!failed_.exchange(true, std::memory_order_relaxed)) failure_ = std::current_exception();
    }
    working = false;
  }

  void wait_for_workers() {
    const auto workers_left = [this] { return (state_.load() & kWorkersMask) != 0; };
    const auto deadline = Clock::now() + kPatience;
    do {
      for (int i = 0; i < kPausesPerClockRead; ++i) {
        if (!workers_left()) return;
        pause_briefly();
      }
    } while (Clock::now() < deadline);
    // A worker has lost its CPU, perhaps to this very thread. Yielding could cost this one a whole time slice, too.
    std::unique_lock lock(mutex_);
    caller_sleeps_.store(true);
    while (workers_left()) finished_.wait(lock);
    caller_sleeps_.store(false);
  }

  // Leaves the job; tells a caller that has gone to sleep over it.
  void leave() {
    const std::uint64_t left = state_.fetch_sub(1);
    if ((left & kWorkersMask) == 1 && caller_sleeps_.load()) {
      {
        const std::lock_guard lock(mutex_);
      }
      finished_.notify_one();
    }
  }

  static bool open(std::uint64_t state) { return (state & kTicket) != 0; }

  void work(std::size_t own) {
    std::uint64_t done = 0;  // the ticket of the last job this worker was at
    for (;;) {
      const std::uint64_t seen = await_job(done);
      if (stopping_.load(std::memory_order_relaxed)) return;
      const std::uint64_t entered = state_.fetch_add(1, std::memory_order_acq_rel);
      if (open(entered)) run_chunks(own);
      leave();
      done = (open(entered) ? entered : seen) & ~kWorkersMask;
    }
  }

  // The state in which there is an open job other than `done`, or the pool is stopping.
  std::uint64_t await_job(std::uint64_t done) {
    const auto ready = [this, done](std::uint64_t state) {
      return (open(state) && (state & ~kWorkersMask) != done) || stopping_.load(std::memory_order_relaxed);
    };
    const auto deadline = Clock::now() + kSpinTime;
    do {
      for (int i = 0; i < kPausesPerClockRead; ++i) {
        const std::uint64_t state = state_.load(std::memory_order_acquire);
        if (ready(state)) return state;
        pause_briefly();
      }
    } while (Clock::now() < deadline);
    std::unique_lock lock(mutex_);
    sleepers_.fetch_add(1);
    std::uint64_t state = state_.load();
    while (!ready(state)) {
      wakeup_.wait(lock);
      state = state_.load();
    }
    sleepers_.fetch_sub(1);
    return state;
  }

  void wake(std::size_t wanted) {
    // Passing through the lock: a worker that saw no job is by now either waiting or has seen this one.
    {
      const std::lock_guard lock(mutex_);
    }
    if (wanted >= workers_.size()) {
      wakeup_.notify_all();
    } else {
      for (std::size_t i = 0; i < wanted; ++i) wakeup_.notify_one();
    }
  }

  void resize(int threads) {
    stop_workers();
    stopping_.store(false, std::memory_order_relaxed);
    share_count_ = std::min(static_cast<std::size_t>(threads), kMostShares);
    callers_cpu_ = -1;
    CPU_ZERO(&cpus_);
    sched_getaffinity(0, sizeof(cpus_), &cpus_);
    // Signals belong to the threads of the program, not to workers it does not know of.
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    try {
      workers_.reserve(static_cast<std::size_t>(threads - 1));
      for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(static_cast<std::size_t>(i)); });
    } catch (const std::exception&) {
      // The system grants no more threads: those that there are do the work.
    }
    pthread_sigmask(SIG_SETMASK, &previous, nullptr);
    wanted_threads_ = threads;
  }

  // The kernel of a virtual machine may take an idle processor for one that the host has given away, and wake a worker
  // where its caller runs, in turns with it for tens of milliseconds (docs/adr/0012-the-callers-processor.md).
  void keep_workers_off(int cpu) {
    callers_cpu_ = cpu;
    cpu_set_t others = cpus_;
    if (cpu < 0 || cpu >= CPU_SETSIZE) return;
    CPU_CLR(static_cast<std::size_t>(cpu), &others);
    if (CPU_COUNT(&others) == 0) return;
    for (std::thread& worker : workers_) pthread_setaffinity_np(worker.native_handle(), sizeof(others), &others);
  }

  void stop_workers() {
    {
      const std::lock_guard lock(mutex_);
      stopping_.store(true, std::memory_order_relaxed);
    }
    wakeup_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  // What a waiting worker polls, and what it reads next, come over in one cache line.
  alignas(64) std::atomic<std::uint64_t> state_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> caller_sleeps_{false};
  RangeBody body_ = nullptr;
  void* context_ = nullptr;
  std::size_t count_ = 0, grain_ = 1, share_count_ = 1;
  Share shares_[kMostShares];
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;  // written by whoever set failed_, read by the caller when all have left

  alignas(64) std::atomic_flag busy_ = ATOMIC_FLAG_INIT;  // guards everything below and the writing of the job
  bool stopped_ = false;
  int wanted_threads_ = 1;
  cpu_set_t cpus_;        // that the workers may use, but for
  int callers_cpu_ = -1;  // where the last job's caller was
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wakeup_, finished_;
  // The pool of the parent process: its threads do not exist here, so it can only be left alone, where leak checkers
  // see it.
  [[maybe_unused]] Pool* abandoned_;
};

// Pools are never freed: a thread may still be in parallel_for while the process exits.
std::atomic<Pool*> current{nullptr};
Pool* abandoned = nullptr;

Pool& pool() {
  Pool* existing = current.load(std::memory_order_acquire);
  if (existing != nullptr) return *existing;
  Pool* fresh = new Pool(abandoned);
  if (current.compare_exchange_strong(existing, fresh, std::memory_order_acq_rel)) return *fresh;
  delete fresh;
  return *existing;
}

void reset_in_child() {
  if (Pool* parents = current.load(std::memory_order_relaxed)) {
    abandoned = parents;
    current.store(nullptr, std::memory_order_relaxed);
  }
  working = false;
}

// Registers the fork handler when the library is loaded, and joins the workers when it is unloaded or the process
// exits.
struct Lifetime {
  Lifetime() { pthread_atfork(nullptr, nullptr, reset_in_child); }
  ~Lifetime() {
    if (Pool* last = current.load(std::memory_order_acquire)) last->stop();
  }
} lifetime;

}  // namespace

void parallel_for(std::size_t count, std::size_t grain, RangeBody body, void* context) {
  if (count == 0) return;
  grain = std::max<std::size_t>(grain, 1);
  if (count > grain && !working) {
    const int threads = num_threads();
    const std::size_t chunks = (count - 1) / grain + 1;
    if (threads > 1) {
      note_second_thread();
      if (pool().try_run(threads, chunks, count, grain, body, context)) return;
    }
  }
  for (std::size_t begin = 0; begin < count; begin += grain) body(context, begin, std::min(count, begin + grain));
}

}  // namespace lamina::runtime

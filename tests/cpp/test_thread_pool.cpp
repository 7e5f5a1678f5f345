// The thread pool: every index once, on more than one thread, whoever calls, and in a forked child.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/thread_pool.h"

namespace lamina::runtime {
namespace {

// ThreadSanitizer refuses to start threads in the child of a process that had some.
#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif
#else
constexpr bool kThreadSanitizer = false;
#endif

// Restores the number of threads at the end of a test.
class ThreadPool : public ::testing::Test {
 protected:
  void TearDown() override { set_num_threads(before_); }

 private:
  int before_ = num_threads();
};

bool covers_once(std::size_t count, std::size_t grain) {
  std::vector<std::atomic<int>> visits(count);
  std::atomic<bool> chunks_right{true};
  parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
    if (begin % grain != 0 || end != std::min(count, begin + grain)) chunks_right = false;
    for (std::size_t i = begin; i < end; ++i) ++visits[i];
  });
  for (const std::atomic<int>& visit : visits) {
    if (visit != 1) return false;
  }
  return chunks_right;
}

// True if `threads` chunks ran at the same time: each waits until all have started.
bool runs_at_once(std::size_t threads) {
  std::atomic<std::size_t> started{0};
  std::atomic<bool> met{true};
  parallel_for(threads, 1, [&](std::size_t, std::size_t) {
    ++started;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (started < threads) {
      if (std::chrono::steady_clock::now() > deadline) {
        met = false;
        return;
      }
      std::this_thread::yield();
    }
  });
  return met;
}

// Runs `check` in a forked child and tells whether it was true there; a hang ends by a signal.
template <typename Check>
bool holds_in_child(Check check) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(check() ? 0 : 1);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(ThreadPool, covers_every_index_once_in_chunks_of_grain) {
  for (const int threads : {1, 2, 3, 5}) {
    set_num_threads(threads);
    for (const std::size_t count : {0u, 1u, 2u, 7u, 64u, 1000u, 4097u}) {
      for (const std::size_t grain : {1u, 3u, 64u, 5000u}) {
        EXPECT_TRUE(covers_once(count, grain)) << threads << " threads, " << count << " by " << grain;
      }
    }
  }
}

TEST_F(ThreadPool, works_on_several_threads_at_once) {
  for (const int threads : {2, 4, 3}) {
    set_num_threads(threads);
    EXPECT_EQ(num_threads(), threads);
    EXPECT_TRUE(runs_at_once(static_cast<std::size_t>(threads)));
  }
}

TEST_F(ThreadPool, begins_with_each_threads_own_part) {
  set_num_threads(2);
  const std::thread::id caller = std::this_thread::get_id();
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> started{0};
    std::atomic<bool> callers[4];
    parallel_for(4, 1, [&](std::size_t chunk, std::size_t) {
      callers[chunk] = std::this_thread::get_id() == caller;
      if (chunk % 2 != 0) return;
      for (++started; started < 2;) std::this_thread::yield();  // the first of either part
    });
    EXPECT_TRUE(callers[0]);
    EXPECT_FALSE(callers[2]);
  }
}

TEST_F(ThreadPool, wakes_workers_that_have_parked) {
  set_num_threads(2);
  for (int round = 0; round < 20; ++round) {
    EXPECT_TRUE(runs_at_once(2));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST_F(ThreadPool, waits_for_a_worker_that_takes_its_time) {
  set_num_threads(2);
  const std::thread::id caller = std::this_thread::get_id();
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> started{0}, finished{0};
    parallel_for(2, 1, [&](std::size_t, std::size_t) {
      for (++started; started < 2;) std::this_thread::yield();  // one chunk each
      if (std::this_thread::get_id() != caller) std::this_thread::sleep_for(std::chrono::milliseconds(3));
      ++finished;
    });
    EXPECT_EQ(finished, 2);
  }
}

TEST_F(ThreadPool, survives_many_short_jobs) {
  set_num_threads(3);
  std::size_t total = 0;
  for (std::size_t round = 0; round < 20000; ++round) {
    std::atomic<std::size_t> sum{0};
    parallel_for(4, 1, [&](std::size_t begin, std::size_t) { sum.fetch_add(begin, std::memory_order_relaxed); });
    total += sum;
  }
  EXPECT_EQ(total, 20000u * 6u);
}

TEST_F(ThreadPool, one_thread_stays_on_the_caller) {
  set_num_threads(1);
  std::set<std::thread::id> seen;
  parallel_for(100, 1, [&](std::size_t, std::size_t) { seen.insert(std::this_thread::get_id()); });
  EXPECT_EQ(seen, std::set<std::thread::id>{std::this_thread::get_id()});
}

TEST_F(ThreadPool, fewer_than_one_thread_is_one) {
  set_num_threads(0);
  EXPECT_EQ(num_threads(), 1);
  EXPECT_TRUE(covers_once(100, 1));
}

TEST_F(ThreadPool, nested_calls_stay_on_their_thread) {
  set_num_threads(3);
  std::atomic<int> visits{0};
  std::atomic<bool> strayed{false};
  parallel_for(8, 1, [&](std::size_t, std::size_t) {
    const std::thread::id outer = std::this_thread::get_id();
    parallel_for(50, 7, [&](std::size_t begin, std::size_t end) {
      if (std::this_thread::get_id() != outer) strayed = true;
      visits += static_cast<int>(end - begin);
    });
  });
  EXPECT_EQ(visits, 400);
  EXPECT_FALSE(strayed);
}

TEST_F(ThreadPool, serves_several_callers) {
  set_num_threads(2);
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 300; ++round) {
        if (!covers_once(97, 5)) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(ThreadPool, counts_what_is_offered_to_a_second_thread) {
  const auto count_of = [](std::size_t chunks) {
    const std::uint64_t before = second_thread_count();
    EXPECT_TRUE(covers_once(chunks, 1));
    return second_thread_count() - before;
  };
  set_num_threads(1);
  EXPECT_EQ(count_of(2), 0U);
  set_num_threads(2);
  EXPECT_EQ(count_of(1), 0U) << "one chunk is the caller's";
  EXPECT_EQ(count_of(2), 1U);
  const std::uint64_t before = second_thread_count();
  parallel_for(2, 1, [](std::size_t, std::size_t) { parallel_for(2, 1, [](std::size_t, std::size_t) {}); });
  EXPECT_EQ(second_thread_count() - before, 1U) << "inside another, it is the thread's own";
}

TEST_F(ThreadPool, thread_count_changes_between_and_during_jobs) {
  std::atomic<bool> stop{false};
  std::thread changer([&] {
    for (int count = 1; !stop; count = count % 5 + 1) {
      set_num_threads(count);
      std::this_thread::yield();
    }
  });
  for (int round = 0; round < 200; ++round) EXPECT_TRUE(covers_once(61, 4));
  stop = true;
  changer.join();
}

TEST_F(ThreadPool, starts_afresh_in_a_forked_child) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer does not start threads after a fork";
  set_num_threads(3);
  ASSERT_TRUE(runs_at_once(3));
  EXPECT_TRUE(holds_in_child([] { return runs_at_once(3) && covers_once(1000, 7); }));
  // A grandchild, from a child that has a pool of its own.
  EXPECT_TRUE(holds_in_child([] { return runs_at_once(3) && holds_in_child([] { return runs_at_once(3); }); }));
  EXPECT_TRUE(runs_at_once(3)) << "the parent goes on";
}

TEST_F(ThreadPool, a_fork_amid_another_threads_job_does_no_harm) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer does not start threads after a fork";
  set_num_threads(3);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  // It allocates nothing: after a fork amid an allocation, the child's threads would wait for the address sanitizer's
  // allocator for ever (glibc's is prepared for that).
  std::thread busy([&] {
    while (!stop) {
      std::atomic<std::size_t> covered{0};
      parallel_for(256, 1, [&](std::size_t begin, std::size_t end) { covered += end - begin; });
      if (covered != 256) ++wrong;
    }
  });
  for (int round = 0; round < 10; ++round) {
    EXPECT_TRUE(holds_in_child([] { return runs_at_once(3) && covers_once(100, 3); }));
  }
  stop = true;
  busy.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(ThreadPool, raises_what_a_chunk_raised_and_goes_on_working) {
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    for (const bool in_worker : {false, true}) {
      if (in_worker && threads == 1) continue;
      const std::thread::id caller = std::this_thread::get_id();
      std::atomic<std::size_t> entered{0};
      std::string raised;
      try {
        parallel_for(10000, 1, [&](std::size_t, std::size_t) {
          ++entered;
          if ((std::this_thread::get_id() != caller) == in_worker) throw std::runtime_error("no more");
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        });
      } catch (const std::runtime_error& error) {
        raised = error.what();
      }
      EXPECT_EQ(raised, "no more") << threads << " threads";
      EXPECT_LT(entered, 10000u) << "the chunks left over are dropped";
      EXPECT_TRUE(covers_once(1000, 7)) << "the next job runs";
      if (threads > 1) {
        EXPECT_TRUE(runs_at_once(static_cast<std::size_t>(threads))) << "on as many threads as before";
      }
    }
  }
}

TEST_F(ThreadPool, the_first_of_many_exceptions_wins) {
  set_num_threads(4);
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> thrown{0};
    int raised = -1;
    try {
      parallel_for(64, 1, [&](std::size_t, std::size_t) { throw thrown++; });
    } catch (int number) {
      raised = number;
    }
    EXPECT_GE(raised, 0);
    EXPECT_LT(raised, thrown);
  }
}

TEST_F(ThreadPool, workers_keep_off_the_callers_processor) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "there is one processor only";
  set_num_threads(2);
  for (int cpu = 0, tried = 0; cpu < CPU_SETSIZE && tried < 4; ++cpu) {
    if (!CPU_ISSET(cpu, &all)) continue;
    ++tried;
    ASSERT_TRUE(runs_at_once(2));  // the worker exists, and may be anywhere
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    const std::thread::id caller = std::this_thread::get_id();
    std::atomic<int> beside{0}, with_caller{0};
    parallel_for(200, 1, [&](std::size_t, std::size_t) {
      if (std::this_thread::get_id() == caller) return std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ++(sched_getcpu() == cpu ? with_caller : beside);
    });
    ASSERT_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
    EXPECT_EQ(with_caller, 0) << "on processor " << cpu;
    EXPECT_GT(beside, 0);
  }
}

TEST(ThreadPoolDeathTest, exits_cleanly_with_workers_parked_or_spinning) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto use_and_exit = [](int pause_milliseconds) {
    set_num_threads(3);
    const bool fine = runs_at_once(3);
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_milliseconds));
    std::exit(fine ? 0 : 1);
  };
  EXPECT_EXIT(use_and_exit(0), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(use_and_exit(5), ::testing::ExitedWithCode(0), "");
}

TEST(ThreadPoolDeathTest, default_comes_from_the_environment) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto exit_with_count = [](const char* setting) {
    setenv("LAMINA_NUM_THREADS", setting, 1);
    std::exit(num_threads());
  };
  const int all = static_cast<int>(std::thread::hardware_concurrency());
  EXPECT_EXIT(exit_with_count("7"), ::testing::ExitedWithCode(7), "");
  const auto exit_if_default = [&](const char* setting) {
    setenv("LAMINA_NUM_THREADS", setting, 1);
    std::exit(num_threads() >= 1 && num_threads() <= all ? 0 : 1);
  };
  EXPECT_EXIT(exit_if_default("0"), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(exit_if_default("-3"), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(exit_if_default("many"), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(exit_if_default(""), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace lamina::runtime

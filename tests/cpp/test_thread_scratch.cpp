// Scratch memory: alignment, growth, one block a thread.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <thread>

#include "runtime/thread_scratch.h"

namespace lamina::runtime {
namespace {

TEST(ThreadScratch, is_aligned_grows_and_belongs_to_one_thread) {
  for (const std::size_t bytes : {1u, 100u, 64u, 5000u, 1000000u, 3u}) {
    void* scratch = thread_scratch(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(scratch) % 64, 0u);
    std::memset(scratch, 0xab, bytes);
  }
  void* mine = thread_scratch(1000);
  EXPECT_EQ(thread_scratch(500), mine) << "a smaller request keeps the block";
  void* theirs = nullptr;
  std::thread([&] { theirs = thread_scratch(1000); }).join();
  EXPECT_NE(theirs, nullptr);
  EXPECT_NE(theirs, mine);
}

TEST(ThreadScratch, keeps_its_block_when_there_is_no_more_memory) {
  void* mine = thread_scratch(1000);
  EXPECT_THROW(thread_scratch(std::size_t{1} << 46), std::bad_alloc);
  EXPECT_EQ(thread_scratch(1000), mine);
}

}  // namespace
}  // namespace lamina::runtime

// The caching allocator: alignment, reuse, limits, statistics, and storages over memory of others.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <utility>
#include <vector>

#include "runtime/buffer.h"

namespace lamina::runtime {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

class Buffer : public ::testing::Test {
 protected:
  void SetUp() override {
    empty_cache();
    before_ = memory_stats();
    reset_peak_bytes();
  }
  void TearDown() override {
    EXPECT_EQ(memory_stats().live_bytes, before_.live_bytes);
    EXPECT_EQ(memory_stats().live_buffers, before_.live_buffers);
  }
  MemoryStats before_{};
};

TEST_F(Buffer, EverySizeIsAlignedAndWritable) {
  for (std::size_t bytes = 0; bytes < 3 * kMegabyte; bytes = bytes < 2200 ? bytes + 1 : bytes * 9 / 8 + 1) {
    const StoragePtr storage = allocate(bytes);
    ASSERT_NE(storage->data, nullptr);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(storage->data) % kAlignment, 0u) << bytes;
    ASSERT_EQ(storage->bytes, bytes);
    ASSERT_EQ(storage->references, 1u);
    ASSERT_FALSE(storage->read_only);
    ASSERT_FALSE(storage->exposed());
    std::memset(storage->data, 0xA5, bytes);
  }
}

TEST_F(Buffer, LiveBlocksNeverOverlap) {
  std::mt19937 random(7);
  std::uniform_int_distribution<std::size_t> sizes(0, 5000);
  std::vector<std::pair<StoragePtr, unsigned char>> live;
  for (int step = 0; step < 4000; ++step) {
    if (live.size() < 100 || random() % 2 == 0) {
      StoragePtr storage = allocate(sizes(random));
      const auto mark = static_cast<unsigned char>(random());
      std::memset(storage->data, mark, storage->bytes);
      live.emplace_back(std::move(storage), mark);
    } else {
      const std::size_t index = random() % live.size();
      std::swap(live[index], live.back());
      const auto& [storage, mark] = live.back();
      const auto* bytes = static_cast<const unsigned char*>(storage->data);
      for (std::size_t i = 0; i < storage->bytes; ++i) ASSERT_EQ(bytes[i], mark);
      live.pop_back();
    }
  }
}

TEST_F(Buffer, FreedBlockServesNextOfItsClass) {
  for (const std::size_t bytes : {std::size_t{100}, 60 * std::size_t{1024}, 5 * kMegabyte}) {
    void* const first = allocate(bytes)->data;
    const std::size_t reserved = memory_stats().reserved_bytes;
    const StoragePtr again = allocate(bytes - 1);
    EXPECT_EQ(again->data, first) << bytes;
    EXPECT_EQ(memory_stats().reserved_bytes, reserved) << bytes;
  }
}

TEST_F(Buffer, ReusedBlockStartsWithFreshFlags) {
  {
    const StoragePtr storage = allocate(256);
    storage->read_only = true;
    storage->external_holders = 3;
  }
  const StoragePtr again = allocate(256);
  EXPECT_FALSE(again->read_only);
  EXPECT_FALSE(again->exposed());
}

TEST_F(Buffer, RoundingWastesAtMostAnEighth) {
  for (std::size_t bytes = 1025; bytes < 40 * kMegabyte; bytes = bytes * 17 / 16 + 3) {
    empty_cache();
    const std::size_t reserved = memory_stats().reserved_bytes;
    const StoragePtr storage = allocate(bytes);
    const std::size_t taken = memory_stats().reserved_bytes - reserved;
    ASSERT_GE(taken, bytes);
    ASSERT_LE(taken, bytes + bytes / 8 + 192) << bytes;
  }
}

TEST_F(Buffer, StatisticsCountWhatWasAskedFor) {
  StoragePtr first = allocate(1000);
  StoragePtr second = allocate(3000);
  EXPECT_EQ(memory_stats().live_bytes - before_.live_bytes, 4000u);
  EXPECT_EQ(memory_stats().live_buffers - before_.live_buffers, 2u);
  second.reset();
  EXPECT_EQ(memory_stats().live_bytes - before_.live_bytes, 1000u);
  EXPECT_EQ(memory_stats().peak_bytes - before_.live_bytes, 4000u);
  reset_peak_bytes();
  EXPECT_EQ(memory_stats().peak_bytes, memory_stats().live_bytes);
}

TEST_F(Buffer, EmptyCacheReturnsAllThatIsNotLive) {
  const std::size_t reserved = memory_stats().reserved_bytes;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{64}, std::size_t{5000}, 9 * kMegabyte}) allocate(bytes);
  EXPECT_GT(memory_stats().reserved_bytes, reserved + 9 * kMegabyte);
  empty_cache();
  EXPECT_EQ(memory_stats().reserved_bytes, reserved);
}

TEST_F(Buffer, CacheIsBounded) {
  const std::size_t reserved = memory_stats().reserved_bytes;
  // Sizes all differ, so no block serves again: 6 GB pass through, untouched.
  for (std::size_t i = 0; i < 60; ++i) allocate((70 + i) * kMegabyte);
  EXPECT_LE(memory_stats().reserved_bytes - reserved, 1024 * kMegabyte);
  EXPECT_GT(memory_stats().reserved_bytes, reserved);
}

TEST_F(Buffer, TrimmingDropsOldestFirst) {
  void* const small = allocate(128)->data;
  for (std::size_t i = 0; i < 60; ++i) {
    allocate((70 + i) * kMegabyte);
    ASSERT_EQ(allocate(128)->data, small) << "in use all the time, and yet dropped at " << i;
  }
}

TEST_F(Buffer, ImpossibleSizesThrow) {
  constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
  for (const std::size_t bytes : {kMax, kMax - 63, kMax / 2, (kMax >> 16) - 100, (std::size_t{1} << 47) + 1}) {
    EXPECT_THROW(allocate(bytes), std::bad_alloc) << bytes;
  }
}

TEST_F(Buffer, FailureLeavesAllocatorUsable) {
  const StoragePtr kept = allocate(77);
  allocate(3000);
  EXPECT_THROW(allocate(std::size_t{1} << 46), std::bad_alloc);  // 64 TB: the system says no, after a trim
  EXPECT_EQ(memory_stats().live_buffers - before_.live_buffers, 1u);
  const StoragePtr next = allocate(3000);
  std::memset(next->data, 1, 3000);
}

TEST_F(Buffer, ReferencesKeepStorageAlive) {
  StoragePtr first = allocate(64);
  StoragePtr second = first;
  EXPECT_EQ(first->references, 2u);
  first.reset();
  EXPECT_EQ(second->references, 1u);
  EXPECT_EQ(memory_stats().live_buffers - before_.live_buffers, 1u);
}

TEST_F(Buffer, ExternalMemoryIsExposedAndReleasedOnce) {
  float numbers[4] = {1, 2, 3, 4};
  int released = 0;
  const auto count = [](void* context) { ++*static_cast<int*>(context); };
  StoragePtr storage = wrap_external(numbers, sizeof numbers, count, &released, false);
  EXPECT_EQ(storage->data, numbers);
  EXPECT_EQ(storage->bytes, sizeof numbers);
  EXPECT_TRUE(storage->exposed());
  EXPECT_EQ(memory_stats().live_bytes, before_.live_bytes);
  EXPECT_EQ(memory_stats().live_buffers - before_.live_buffers, 1u);
  StoragePtr other = storage;
  storage.reset();
  EXPECT_EQ(released, 0);
  other.reset();
  EXPECT_EQ(released, 1);
  EXPECT_EQ(numbers[3], 4);
}

TEST_F(Buffer, ReadOnlyExternalMemoryIsNotExposed) {
  const float numbers[2] = {1, 2};
  const StoragePtr storage = wrap_external(const_cast<float*>(numbers), sizeof numbers, nullptr, nullptr, true);
  EXPECT_TRUE(storage->read_only);
  EXPECT_FALSE(storage->exposed());
}

TEST_F(Buffer, OwnerMayAllocateWhileItIsReleased) {
  StoragePtr made;
  float number = 0;
  const auto make = [](void* context) { *static_cast<StoragePtr*>(context) = allocate(0); };
  wrap_external(&number, sizeof number, make, &made, false);
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->exposed());
  EXPECT_NE(made->data, &number);
}

#if defined(__SANITIZE_ADDRESS__)
TEST_F(Buffer, AddressSanitizerSeesUseAfterRelease) {
  auto* freed = static_cast<volatile char*>(allocate(100)->data);
  EXPECT_DEATH(freed[0] = 1, "use-after-poison");
}
TEST_F(Buffer, AddressSanitizerSeesWritesPastTheEnd) {
  const StoragePtr storage = allocate(100);
  EXPECT_DEATH(static_cast<volatile char*>(storage->data)[104] = 1, "use-after-poison");
}
#endif

}  // namespace
}  // namespace lamina::runtime

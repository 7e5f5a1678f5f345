// The caching allocator: freed blocks wait in lists by size class for the next storage of that class.
#include "runtime/buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>
#include <type_traits>

#include "support/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define LAMINA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LAMINA_ASAN 1
#endif
#endif
#ifdef LAMINA_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace lamina::runtime {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kHugeThreshold = std::size_t{4} << 20;

// Size classes: multiples of 64 bytes up to 1 KB, from there eight to each doubling, so at most an eighth is wasted.
constexpr std::size_t kLinearLimit = 1024;
constexpr std::size_t kLinearClasses = kLinearLimit / kAlignment + 1;
constexpr std::size_t kPerDoubling = 8;
constexpr std::size_t kMaxBits = 47;  // no address space here is larger
constexpr std::size_t kClasses = kLinearClasses + (kMaxBits - 10) * kPerDoubling;

struct SizeClass {
  std::size_t index;
  std::size_t bytes;
};

SizeClass size_class(std::size_t bytes) {
  if (bytes <= kLinearLimit) {
    const std::size_t index = (bytes + kAlignment - 1) / kAlignment;
    return {index, index * kAlignment};
  }
  const std::size_t exponent = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;
  const std::size_t shift = exponent - 3;
  const std::size_t eighth = (bytes - 1) >> shift;  // 8 to 15
  return {kLinearClasses + (exponent - 10) * kPerDoubling + eighth - kPerDoubling, (eighth + 1) << shift};
}

// Lies in front of the data, so that one block serves storage and numbers. `newer` and `older` link cached blocks;
// `release_owner` and `context` belong to external storages, which have no data of their own.
struct Block : Storage {
  std::uint16_t class_index;  // from here on in what Storage leaves of its last word
  std::uint32_t freed_at;
  union {
    Block* newer;
    ReleaseOwner release_owner;
  };
  union {
    Block* older;
    void* context;
  };
};
constexpr std::size_t kHeader = 64;
static_assert(sizeof(Block) <= kHeader && kHeader % kAlignment == 0);

struct FreeList {
  Block* newest = nullptr;
  Block* oldest = nullptr;
};

void destroy_owned(Storage* storage);
void destroy_external(Storage* storage);

char* data_of(Block* block) { return reinterpret_cast<char*>(block) + kHeader; }

std::size_t default_cache_limit() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  const std::size_t physical =
      pages > 0 && page > 0 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(page) : 0;
  return std::clamp(physical / 16, std::size_t{64} << 20, std::size_t{1} << 30);
}

// Freed memory is poisoned for the address sanitizer while it waits, and so is what a class rounds up.
void mark_unusable([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#ifdef LAMINA_ASAN
  ASAN_POISON_MEMORY_REGION(begin, bytes);
#endif
}
void mark_usable([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#ifdef LAMINA_ASAN
  ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
#endif
}

class Allocator {
 public:
  Block* take(std::size_t bytes);
  void give_back(Block* block);
  void trim(std::size_t target_bytes);

  std::size_t live_bytes = 0;
  std::size_t peak_bytes = 0;
  std::size_t reserved_bytes = 0;
  std::size_t live_buffers = 0;
  void (*let_go)() = nullptr;

 private:
  static Block* from_system(std::size_t bytes) noexcept;
  Block* make_block(SizeClass size);
  Block* unlink_oldest(FreeList& list);
  FreeList* list_with_oldest_block();

  FreeList lists_[kClasses];
  std::size_t block_bytes_[kClasses] = {};  // of a class's blocks, header included; 0 until there is one
  std::size_t cached_bytes_ = 0;
  std::size_t cache_limit_ = 0;  // 0: not yet asked for
  std::uint32_t clock_ = 0;      // counts frees; may wrap, which only makes a trim choose less well
};

// Needs no construction and no destruction: storages may outlive the statics of other files.
constinit Allocator allocator;
static_assert(std::is_trivially_destructible_v<Allocator>);

Block* Allocator::from_system(std::size_t bytes) noexcept {
  void* memory = nullptr;
  const bool huge = bytes >= kHugeThreshold;
  if (posix_memalign(&memory, huge ? kHugePage : kAlignment, bytes) != 0) return nullptr;
#ifdef MADV_HUGEPAGE
  // Advice only: first touches cost a fault per 2 MB in place of one per 4 KB.
  if (huge) madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return static_cast<Block*>(memory);
}

[[noreturn]] void fail_for(std::size_t bytes) {
  throw OutOfMemory(bytes, text("not enough memory for ", bytes, " bytes"));
}

Block* Allocator::make_block(SizeClass size) {
  const std::size_t total = kHeader + size.bytes;
  void* memory = from_system(total);
  if (memory == nullptr) {
    if (let_go != nullptr) let_go();
    trim(0);
    memory = from_system(total);
    if (memory == nullptr) fail_for(size.bytes);
  }
  reserved_bytes += total;
  block_bytes_[size.index] = total;
  if (cache_limit_ == 0) cache_limit_ = default_cache_limit();
  Block* block = new (memory) Block;
  block->class_index = static_cast<std::uint16_t>(size.index);
  return block;
}

Block* Allocator::take(std::size_t bytes) {
  check_addressable(bytes);
  const SizeClass size = size_class(bytes);
  FreeList& list = lists_[size.index];
  Block* block = list.newest;
  if (block != nullptr) [[likely]] {
    list.newest = block->older;
    (list.newest != nullptr ? list.newest->newer : list.oldest) = nullptr;
    cached_bytes_ -= block_bytes_[size.index];
  } else {
    block = make_block(size);
  }
  block->references = 1;
  block->external_holders = 0;
  block->address_known = false;
  block->read_only = false;
  block->data = data_of(block);
  block->bytes = bytes;
  block->destroy = destroy_owned;
  mark_usable(data_of(block), bytes);
  mark_unusable(data_of(block) + bytes, size.bytes - bytes);
  ++live_buffers;
  live_bytes += bytes;
  peak_bytes = std::max(peak_bytes, live_bytes);
  return block;
}

void Allocator::give_back(Block* block) {
  --live_buffers;
  FreeList& list = lists_[block->class_index];
  const std::size_t total = block_bytes_[block->class_index];
  mark_unusable(data_of(block), total - kHeader);
  block->freed_at = clock_++;
  block->newer = nullptr;
  block->older = list.newest;
  (list.newest != nullptr ? list.newest->newer : list.oldest) = block;
  list.newest = block;
  cached_bytes_ += total;
  // A quarter below the limit, so that the search for the oldest is not made at every free.
  if (cached_bytes_ > cache_limit_) [[unlikely]]
    trim(cache_limit_ - cache_limit_ / 4);
}

FreeList* Allocator::list_with_oldest_block() {
  FreeList* found = nullptr;
  std::uint32_t found_age = 0;
  for (FreeList& list : lists_) {
    if (list.oldest == nullptr) continue;
    const std::uint32_t age = clock_ - list.oldest->freed_at;
    if (found == nullptr || age > found_age) {
      found = &list;
      found_age = age;
    }
  }
  return found;
}

Block* Allocator::unlink_oldest(FreeList& list) {
  Block* block = list.oldest;
  list.oldest = block->newer;
  (list.oldest != nullptr ? list.oldest->older : list.newest) = nullptr;
  return block;
}

void Allocator::trim(std::size_t target_bytes) {
  while (cached_bytes_ > target_bytes) {
    Block* block = unlink_oldest(*list_with_oldest_block());
    const std::size_t total = block_bytes_[block->class_index];
    cached_bytes_ -= total;
    reserved_bytes -= total;
    mark_usable(block, total);
    std::free(block);
  }
}

void destroy_owned(Storage* storage) {
  allocator.live_bytes -= storage->bytes;
  allocator.give_back(static_cast<Block*>(storage));
}

void destroy_external(Storage* storage) {
  Block* block = static_cast<Block*>(storage);
  const ReleaseOwner release_owner = block->release_owner;
  void* const context = block->context;
  allocator.give_back(block);  // first: releasing the owner may run any code, this allocator's too
  if (release_owner != nullptr) release_owner(context);
}

}  // namespace

void check_addressable(std::size_t bytes) {
  if (bytes > std::size_t{1} << kMaxBits) [[unlikely]]
    fail_for(bytes);
}

StoragePtr allocate(std::size_t bytes) { return StoragePtr::adopt(allocator.take(bytes)); }

StoragePtr wrap_external(void* data, std::size_t bytes, ReleaseOwner release_owner, void* context, bool read_only) {
  Block* block = allocator.take(0);
  block->data = data;
  block->bytes = bytes;
  block->read_only = read_only;
  block->external_holders = read_only ? 0 : 1;  // the owner's own hold, never dropped
  block->destroy = destroy_external;
  block->release_owner = release_owner;
  block->context = context;
  return StoragePtr::adopt(block);
}

void* external_context(const Storage* storage, ReleaseOwner release_owner) {
  if (storage->destroy != destroy_external) return nullptr;
  const Block* block = static_cast<const Block*>(storage);
  return block->release_owner == release_owner ? block->context : nullptr;
}

MemoryStats memory_stats() {
  return {allocator.live_bytes, allocator.peak_bytes, allocator.reserved_bytes, allocator.live_buffers};
}

void reset_peak_bytes() { allocator.peak_bytes = allocator.live_bytes; }

void empty_cache() { allocator.trim(0); }

void set_memory_reserve(void (*let_go)()) { allocator.let_go = let_go; }

}  // namespace lamina::runtime

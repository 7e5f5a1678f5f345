// Where numbers live: makes storages, from a caching allocator or around memory that somebody else owns.
//
// Everything here is touched only with the interpreter's lock held; nothing is locked. Memory handed out may be read
// and written by any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "support/storage.h"

namespace lamina::runtime {

// Every allocation is aligned to this.
inline constexpr std::size_t kAlignment = 64;

// Says how many bytes were asked for.
class OutOfMemory : public std::bad_alloc {
 public:
  OutOfMemory(std::size_t bytes, std::string message) : bytes_(bytes), message_(std::move(message)) {}
  std::size_t bytes() const { return bytes_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::size_t bytes_;
  std::string message_;
};

// `bytes` of uninitialised memory with one reference; data is never null, not even for 0 bytes. Throws OutOfMemory,
// after giving all cached memory and the reserve back, when there is no memory or `bytes` is beyond any address space.
StoragePtr allocate(std::size_t bytes);

// Throws OutOfMemory where allocate would throw it for any machine: `bytes` are beyond any address space.
void check_addressable(std::size_t bytes);

using ReleaseOwner = void (*)(void* context);

// A storage over memory that is somebody else's; `release_owner(context)` is called once, when the last reference goes.
// Aligned as the owner has it. Unless read_only, the owner may write to it at any time: the storage stays exposed.
// If this throws std::bad_alloc, release_owner has not been called.
StoragePtr wrap_external(void* data, std::size_t bytes, ReleaseOwner release_owner, void* context, bool read_only);

// The context of an external storage with this release_owner; null for all others.
void* external_context(const Storage* storage, ReleaseOwner release_owner);

struct MemoryStats {
  std::size_t live_bytes;      // asked for by storages that exist; external memory does not count
  std::size_t peak_bytes;      // the most that live_bytes ever was, since the start or reset_peak_bytes()
  std::size_t reserved_bytes;  // taken from the system: live, rounded up, and cached
  std::size_t live_buffers;    // storages that exist, external ones too
};

MemoryStats memory_stats();
void reset_peak_bytes();

// Gives all cached memory back to the system.
void empty_cache();

// What to do when the system has no more memory, before giving up: let go of storages that nobody needs.
void set_memory_reserve(void (*let_go)());

}  // namespace lamina::runtime

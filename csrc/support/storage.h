// A block of memory that values share: what every layer may know of it. The runtime makes and frees them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "support/intrusive_ptr.h"

namespace lamina {

// Counts are plain integers: only a thread that holds the interpreter's lock touches them.
struct Storage {
  std::uint32_t references = 1;
  // How many holders outside of lamina (NumPy arrays, DLPack consumers) may write to it at any time.
  std::uint32_t external_holders = 0;
  bool read_only = false;
  void* data = nullptr;
  std::size_t bytes = 0;
  void (*destroy)(Storage*) = nullptr;

  // Whatever reads an exposed storage is executed at once, so that laziness cannot be observed.
  bool exposed() const { return external_holders > 0; }
};

inline void retain(Storage* storage) { ++storage->references; }
inline void release(Storage* storage) {
  if (--storage->references == 0) storage->destroy(storage);
}

using StoragePtr = IntrusivePtr<Storage>;

}  // namespace lamina

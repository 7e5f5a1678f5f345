// A block of memory that values share: what every layer may know of it. The runtime makes and frees them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "support/intrusive_ptr.h"

namespace lamina {

// Counts are plain integers: only a thread that holds the interpreter's lock touches them.
struct Storage {
  void* data = nullptr;
  std::size_t bytes = 0;
  void (*destroy)(Storage*) = nullptr;
  // The same numbers in another order, for those who read them often that way: owned, forgotten before they change.
  Storage* rearranged = nullptr;
  std::uint32_t references = 1;
  // How many holders outside of lamina (NumPy arrays, DLPack consumers) may write to it at any time.
  std::uint32_t external_holders = 0;
  bool read_only : 1 = false;
  bool address_known : 1 = false;  // somebody has asked where it is, and out= is to be written there
  std::uint8_t readings = 0;       // that would have liked a rearranged copy, while there is none

  // Whatever reads an exposed storage is executed at once, so that laziness cannot be observed.
  bool exposed() const { return external_holders > 0; }
};

inline void retain(Storage* storage) { ++storage->references; }
inline void forget_rearranged(Storage* storage);
inline void release(Storage* storage) {
  if (--storage->references > 0) return;
  forget_rearranged(storage);
  storage->destroy(storage);
}
// Told of each storage that is about to lose its rearranged copy, by whoever makes these.
inline void (*rearranged_forgotten)(Storage* storage) = nullptr;
inline void forget_rearranged(Storage* storage) {
  storage->readings = 0;
  if (!storage->rearranged) return;
  rearranged_forgotten(storage);
  release(std::exchange(storage->rearranged, nullptr));
}
// Hands the memory to one more holder outside.
inline void expose(Storage* storage) {
  forget_rearranged(storage);
  ++storage->external_holders;
}

using StoragePtr = IntrusivePtr<Storage>;

}  // namespace lamina

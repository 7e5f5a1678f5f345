// A pointer that owns one reference of an object which counts its own; costs one word and no control block.
#pragma once

#include <cstddef>
#include <utility>

namespace lamina {

// T offers `void retain(T*)` and `void release(T*)`, found by argument-dependent lookup; release may delete.
template <typename T>
class IntrusivePtr {
 public:
  IntrusivePtr() = default;
  IntrusivePtr(std::nullptr_t) {}
  explicit IntrusivePtr(T* pointer) : pointer_(pointer) {
    if (pointer_) retain(pointer_);
  }
  IntrusivePtr(const IntrusivePtr& other) : IntrusivePtr(other.pointer_) {}
  IntrusivePtr(IntrusivePtr&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  IntrusivePtr& operator=(IntrusivePtr other) noexcept {
    swap(other);
    return *this;
  }
  ~IntrusivePtr() {
    if (pointer_) release(pointer_);
  }

  // Takes over a reference that the caller already holds.
  static IntrusivePtr adopt(T* pointer) {
    IntrusivePtr result;
    result.pointer_ = pointer;
    return result;
  }
  // Hands the reference to the caller.
  [[nodiscard]] T* detach() { return std::exchange(pointer_, nullptr); }

  T* get() const { return pointer_; }
  T* operator->() const { return pointer_; }
  T& operator*() const { return *pointer_; }
  explicit operator bool() const { return pointer_ != nullptr; }
  void swap(IntrusivePtr& other) noexcept { std::swap(pointer_, other.pointer_); }
  void reset() { IntrusivePtr().swap(*this); }
  friend bool operator==(const IntrusivePtr& a, const IntrusivePtr& b) { return a.pointer_ == b.pointer_; }

 private:
  T* pointer_ = nullptr;
};

}  // namespace lamina

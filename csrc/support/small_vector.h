// SmallVector: a vector of plain numbers that needs no memory of its own while they are few, as sizes and strides are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <type_traits>
#include <utility>

namespace lamina {

template <typename T, std::uint32_t kInside>
  requires std::is_trivially_copyable_v<T>
class SmallVector {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using iterator = T*;
  using const_iterator = const T*;

  SmallVector() : data_(inside_) {}
  explicit SmallVector(std::size_t size, T value = {}) : SmallVector() { resize(size, value); }
  template <std::forward_iterator Iterator>
  SmallVector(Iterator first, Iterator last) : SmallVector() {
    assign(first, last);
  }
  SmallVector(std::initializer_list<T> values) : SmallVector(values.begin(), values.end()) {}
  SmallVector(const SmallVector& other) : SmallVector(other.begin(), other.end()) {}
  SmallVector(SmallVector&& other) noexcept : SmallVector() { take(other); }
  SmallVector& operator=(const SmallVector& other) {
    if (this != &other) assign(other.begin(), other.end());
    return *this;
  }
  SmallVector& operator=(SmallVector&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  ~SmallVector() { release(); }

  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  auto rbegin() const { return std::reverse_iterator(end()); }
  auto rend() const { return std::reverse_iterator(begin()); }
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t index) { return data_[index]; }
  const T& operator[](std::size_t index) const { return data_[index]; }
  T& front() { return data_[0]; }
  const T& front() const { return data_[0]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }

  void reserve(std::size_t room) {
    if (room > room_) grow(room);
  }
  void resize(std::size_t size, T value = {}) {
    reserve(size);
    if (size > size_) std::fill(end(), data_ + size, value);
    size_ = static_cast<std::uint32_t>(size);
  }
  void clear() { size_ = 0; }
  void push_back(T value) {
    if (size_ == room_) grow(2 * std::size_t{room_});
    data_[size_++] = value;
  }
  void pop_back() { --size_; }
  template <std::forward_iterator Iterator>
  void assign(Iterator first, Iterator last) {
    const auto size = static_cast<std::size_t>(std::distance(first, last));
    clear();
    reserve(size);
    std::copy(first, last, data_);
    size_ = static_cast<std::uint32_t>(size);
  }
  // [first, last) lies elsewhere.
  template <std::forward_iterator Iterator>
  T* insert(const T* at, Iterator first, Iterator last) {
    const auto index = at - data_;
    const auto added = static_cast<std::size_t>(std::distance(first, last));
    reserve(size_ + added);
    std::copy_backward(data_ + index, end(), end() + added);
    std::copy(first, last, data_ + index);
    size_ += static_cast<std::uint32_t>(added);
    return data_ + index;
  }
  T* insert(const T* at, T value) { return insert(at, &value, &value + 1); }
  T* insert(const T* at, std::initializer_list<T> values) { return insert(at, values.begin(), values.end()); }
  T* erase(const T* first, const T* last) {
    T* hole = data_ + (first - data_);
    std::copy(last, static_cast<const T*>(end()), hole);
    size_ -= static_cast<std::uint32_t>(last - first);
    return hole;
  }
  T* erase(const T* at) { return erase(at, at + 1); }

  friend bool operator==(const SmallVector& a, const SmallVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  void grow(std::size_t room) {
    T* larger = new T[room];
    std::copy(begin(), end(), larger);
    release();
    data_ = larger;
    room_ = static_cast<std::uint32_t>(room);
  }
  void release() {
    if (data_ != inside_) delete[] data_;
  }
  // What `other` holds, which is empty then; this holds no memory.
  void take(SmallVector& other) {
    const bool few = other.data_ == other.inside_;
    if (few) std::copy(other.begin(), other.end(), inside_);
    data_ = few ? inside_ : std::exchange(other.data_, other.inside_);
    size_ = std::exchange(other.size_, 0);
    room_ = std::exchange(other.room_, kInside);
  }

  T* data_;
  std::uint32_t size_ = 0, room_ = kInside;
  T inside_[kInside];
};

// Sizes, strides or axes.
using DimVector = SmallVector<std::int64_t, 4>;
// Numbers of nodes, of which an op reads few.
using NodeVector = SmallVector<std::uint32_t, 4>;

}  // namespace lamina

// Shapes, and the attributes of ops: interned tuples of integers, so that equal ones are the same pointer.
//
// They are made once and never freed: their number is bounded by what a program computes with, not by how long it runs.
// All functions here are to be called with the interpreter's lock held.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "support/small_vector.h"

namespace lamina {

using Dims = std::span<const std::int64_t>;

class Shape {
 public:
  // The one Shape with these sizes. Raises for a negative size, or if the number of bytes would overflow.
  static const Shape* of(Dims dims);
  static const Shape* of(std::initializer_list<std::int64_t> dims) { return of(Dims(dims.begin(), dims.size())); }
  static const Shape* scalar();

  int rank() const { return static_cast<int>(dims_.size()); }
  std::int64_t operator[](int axis) const { return dims_[static_cast<std::size_t>(axis)]; }
  Dims dims() const { return dims_; }
  std::int64_t numel() const { return numel_; }

 private:
  explicit Shape(Dims dims);
  friend struct Interner;

  DimVector dims_;
  std::int64_t numel_;
};

// A tuple of integers that parametrises an op: axes, starts and steps, flags. Null stands for "none".
class Attribute {
 public:
  static const Attribute* of(Dims values);
  static const Attribute* of(std::initializer_list<std::int64_t> values) {
    return of(Dims(values.begin(), values.size()));
  }

  Dims values() const { return values_; }
  std::int64_t operator[](std::size_t index) const { return values_[index]; }
  std::size_t size() const { return values_.size(); }

 private:
  explicit Attribute(Dims values) : values_(values.begin(), values.end()) {}
  friend struct Interner;

  DimVector values_;
};

// The shape of an elementwise result (NumPy's rule). Raises PyTorch's error if the shapes do not broadcast.
const Shape* broadcast(const Shape* a, const Shape* b);
// By the same rule, do elements of `from` repeat to `to`?
bool is_expandable(Dims from, Dims to);

// "(2, 3)" and PyTorch's "[2, 3]".
std::string to_string(Dims dims, char open = '(', char close = ')');

}  // namespace lamina

// Values for tests: leaves and parameters from lists of numbers, and the numbers of any value in row-major order.
#pragma once

#include <cstring>
#include <initializer_list>
#include <numeric>
#include <string>
#include <vector>

#include "engine/flush.h"
#include "ops/build.h"
#include "ops/view_layout.h"
#include "runtime/buffer.h"
#include "support/check.h"

namespace lamina::testing {

using Numbers = std::vector<float>;

template <typename T>
ValuePtr leaf_of(const Shape* shape, DType dtype, const std::vector<T>& numbers) {
  StoragePtr storage = runtime::allocate(numbers.size() * sizeof(T));
  if (!numbers.empty()) std::memcpy(storage->data, numbers.data(), numbers.size() * sizeof(T));
  return make_leaf(std::move(storage), shape, dtype);
}

inline ValuePtr leaf(std::initializer_list<std::int64_t> dims, const Numbers& numbers) {
  return leaf_of(Shape::of(dims), DType::kFloat32, numbers);
}

// 0, 1, 2 …
inline ValuePtr range(std::initializer_list<std::int64_t> dims) {
  const Shape* shape = Shape::of(dims);
  Numbers numbers(static_cast<std::size_t>(shape->numel()));
  std::iota(numbers.begin(), numbers.end(), 0.0f);
  return leaf_of(shape, DType::kFloat32, numbers);
}

// A leaf that accumulates a gradient.
inline ValuePtr parameter(std::initializer_list<std::int64_t> dims, const Numbers& numbers) {
  ValuePtr value = leaf(dims, numbers);
  value->flags |= kRequiresGrad;
  attach_leaf(value.get(), LeafPtr::adopt(new LeafState));
  return value;
}

template <typename T>
std::vector<T> numbers_as(const ValuePtr& value) {
  engine::realize(value.get());
  const auto* first = reinterpret_cast<const T*>(engine::data_of(value.get()));
  DimVector strides = strides_of(value->shape, value->layout);
  std::vector<T> result;
  for (std::int64_t i = 0; i < value->shape->numel(); ++i) {
    std::int64_t rest = i, place = 0;
    for (int axis = value->shape->rank(); axis-- > 0;) {
      place += rest % (*value->shape)[axis] * strides[static_cast<std::size_t>(axis)];
      rest /= (*value->shape)[axis];
    }
    result.push_back(first[place]);
  }
  return result;
}
inline Numbers numbers(const ValuePtr& value) { return numbers_as<float>(value); }

// The message of the Error that `action` raises; empty if it raises none.
template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace lamina::testing

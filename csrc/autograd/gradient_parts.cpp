// Joining, putting and adding parts of a gradient.
#include "autograd/gradient_parts.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lamina {

namespace {

// Around all elements that slices have given something so far: outside of it, the gradient is still 0.
class FilledBox {
 public:
  FilledBox() = default;
  explicit FilledBox(const GradientPart& slice) {
    const Shape* shape = slice.numbers->shape;
    const auto rank = static_cast<std::size_t>(shape->rank());
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::int64_t first = (*slice.place)[axis];
      const std::int64_t last = first + (shape->dims()[axis] - 1) * (*slice.place)[rank + axis];
      begins_.push_back(std::min(first, last));
      ends_.push_back(std::max(first, last) + 1);
    }
  }

  bool is_apart_from(const FilledBox& other) const {
    for (std::size_t axis = 0; axis < begins_.size(); ++axis)
      if (ends_[axis] <= other.begins_[axis] || other.ends_[axis] <= begins_[axis]) return true;
    return false;
  }

  void include(const FilledBox& other) {
    for (std::size_t axis = 0; axis < begins_.size(); ++axis) {
      begins_[axis] = std::min(begins_[axis], other.begins_[axis]);
      ends_[axis] = std::max(ends_[axis], other.ends_[axis]);
    }
  }

 private:
  DimVector begins_, ends_;
};

// The axis along which the slice is a piece of a value of this shape, all of it along the others; else -1.
int axis_of_piece(const GradientPart& slice, const Shape* shape) {
  const auto rank = static_cast<std::size_t>(shape->rank());
  int found = -1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::int64_t length = slice.numbers->shape->dims()[axis];
    if (length > 1 && (*slice.place)[rank + axis] != 1) return -1;
    if (length == shape->dims()[axis]) continue;
    if (found >= 0) return -1;
    found = static_cast<int>(axis);
  }
  return found;
}

// Slices that are all pieces along one axis, none missing, joined; else null.
ValuePtr joined(const Value* value, std::span<const GradientPart> parts) {
  if (parts.size() < 2 || parts[0].rows) return nullptr;
  const int axis = axis_of_piece(parts[0], value->shape);
  if (axis < 0) return nullptr;
  std::vector<std::pair<std::int64_t, const GradientPart*>> pieces;
  for (const GradientPart& part : parts) {
    if (part.rows || axis_of_piece(part, value->shape) != axis) return nullptr;
    pieces.emplace_back((*part.place)[static_cast<std::size_t>(axis)], &part);
  }
  std::ranges::sort(pieces);
  std::int64_t end = 0;
  std::vector<ValuePtr> numbers;
  for (const auto& [start, part] : pieces) {
    if (start != end) return nullptr;
    end += (*part->numbers->shape)[axis];
    numbers.push_back(part->numbers);
  }
  return end == (*value->shape)[axis] ? build::cat(numbers, axis) : nullptr;
}

}  // namespace

ValuePtr with_parts(const Value* value, ValuePtr whole, std::span<const GradientPart> parts) {
  const bool zero = !whole;
  if (zero) {
    if (ValuePtr all = joined(value, parts)) return all;
    const ValuePtr& numbers = parts[0].numbers;
    whole = build::full(value->shape, 0, numbers->dtype, numbers->device());
  }
  FilledBox filled;
  bool any = false;
  for (const GradientPart& part : parts) {
    if (part.rows) continue;
    const FilledBox box(part);
    ValuePtr numbers = part.numbers;
    if (!zero || (any && !filled.is_apart_from(box)))
      numbers = build::add(build::slice(whole, numbers->shape, part.place), numbers);
    whole = build::slice_update(whole, numbers, part.place);
    if (any)
      filled.include(box);
    else
      filled = box;
    any = true;
  }
  for (const GradientPart& part : parts)
    if (part.rows) whole = build::put_rows(whole, part.rows, part.numbers, true);
  return whole;
}

}  // namespace lamina

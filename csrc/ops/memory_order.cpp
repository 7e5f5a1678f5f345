// The arithmetic of memory orders.
#include "ops/memory_order.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "ops/table.h"
#include "ops/view_layout.h"
#include "support/check.h"

namespace lamina {

namespace {

using std::size_t;

// The axes of a format, from the nearest in memory to the farthest.
std::span<const int> axes_of(MemoryFormat format) {
  static constexpr int kTwo[] = {1, 3, 2, 0}, kThree[] = {1, 4, 3, 2, 0};
  if (format == MemoryFormat::kChannelsLast) return kTwo;
  return kThree;
}

int rank_of(MemoryFormat format) { return format == MemoryFormat::kChannelsLast ? 4 : 5; }

// Does it lie so, or would it if its axes of size 1 did not matter? Ambiguous ones are taken for contiguous.
bool has_format(const Shape* shape, Dims strides, MemoryFormat format) {
  if (shape->rank() != rank_of(format) || strides[1] == 0) return false;
  std::int64_t least = 0;
  for (int axis : axes_of(format)) {
    std::int64_t size = (*shape)[axis], stride = strides[static_cast<size_t>(axis)];
    if (size == 0 || stride < least || (axis == 0 && least == strides[1])) return false;
    least = stride * std::max<std::int64_t>(size, 1);
  }
  return true;
}

// Which axis is the nearer one in memory? Above 0: `second`; 0: nobody says.
int compare_axes(int first, int second, const Shape* shape, std::span<const DimVector> strides) {
  for (const DimVector& of : strides) {
    std::int64_t a = of[static_cast<size_t>(first)], b = of[static_cast<size_t>(second)];
    if (a == 0 || b == 0) continue;
    if (a != b) return a < b ? -1 : 1;
    if ((*shape)[first] > (*shape)[second]) return 1;
  }
  return 0;
}

// The axes from the nearest in memory to the farthest. Not an order that can be told pair by pair, because of what
// nobody says: an insertion sort that looks on past such a pair is the rule itself.
DimVector sorted_axes(const Shape* shape, std::span<const DimVector> strides) {
  DimVector axes(static_cast<size_t>(shape->rank()));
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(axes.size() - 1 - i);
  for (size_t i = 1; i < axes.size(); ++i) {
    size_t moving = i;
    for (size_t at = i; at-- > 0;) {
      int order = compare_axes(static_cast<int>(axes[at]), static_cast<int>(axes[moving]), shape, strides);
      if (order < 0) break;
      if (order > 0) std::swap(axes[at], axes[std::exchange(moving, at)]);
    }
  }
  return axes;
}

DimVector strides_along(const Shape* shape, Dims nearest_first) {
  DimVector strides(nearest_first.size());
  std::int64_t step = 1;
  for (std::int64_t axis : nearest_first) {
    strides[static_cast<size_t>(axis)] = step;
    step *= std::max<std::int64_t>((*shape)[static_cast<int>(axis)], 1);
  }
  return strides;
}

// An operand's strides under the result's shape; 0 where it is broadcast.
DimVector strides_under(const Shape* shape, const Value* operand) {
  DimVector own = shown_strides(operand), strides(shape->dims().size(), 0);
  size_t added = strides.size() - own.size();
  for (size_t axis = 0; axis < own.size(); ++axis)
    if (operand->shape->dims()[axis] == shape->dims()[axis + added]) strides[axis + added] = own[axis];
  return strides;
}

}  // namespace

DimVector shown_strides(const Value* value) {
  if (value->shown_strides) {
    Dims strides = value->shown_strides->values();
    return DimVector(strides.begin(), strides.end());
  }
  // What is repeated by an operation tells as little about an order as what a user expanded.
  bool repeated = value->op == static_cast<OpId>(Op::expand) && value->inputs[0] && value->inputs[0]->op != kScalar;
  if ((value->has(kReordered) || repeated) && is_view(value) && value->inputs[0]) {
    const Value* base = value->inputs[0];
    if (auto places = view_places(op_of(value), value->attribute, base->shape, {0, shown_strides(base)}, value->shape))
      return std::move(places->strides);
  }
  return contiguous_strides(value->shape);
}

void show_strides(Value* value, Dims strides) {
  bool plain = std::ranges::equal(strides, contiguous_strides(value->shape));
  value->shown_strides = plain ? nullptr : Attribute::of(strides);
  value->flags = static_cast<std::uint16_t>(plain ? value->flags & ~kReordered : value->flags | kReordered);
}

void show_as(Value* value, const Value* like) {
  if (like->has(kReordered))
    show_strides(value, shown_strides(like));
  else if (value->has(kReordered))
    show_strides(value, contiguous_strides(value->shape));
}

bool is_dense(const Shape* shape, Dims strides) { return axes_in_memory(shape, strides).has_value(); }

std::optional<DimVector> axes_in_memory(const Shape* shape, Dims strides) {
  DimVector axes(strides.size());
  std::iota(axes.begin(), axes.end(), 0);
  std::ranges::stable_sort(axes, [&](std::int64_t a, std::int64_t b) {
    std::int64_t first = strides[static_cast<size_t>(a)], second = strides[static_cast<size_t>(b)];
    if (first != second) return first > second;
    return (*shape)[static_cast<int>(a)] > (*shape)[static_cast<int>(b)];
  });
  std::int64_t step = 1;
  for (size_t i = axes.size(); i-- > 0;) {
    std::int64_t size = (*shape)[static_cast<int>(axes[i])];
    if (size == 1 || shape->numel() == 0) continue;
    if (strides[static_cast<size_t>(axes[i])] != step) return std::nullopt;
    step *= size;
  }
  return axes;
}

const Shape* permuted(const Shape* shape, Dims axes) {
  DimVector dims;
  for (std::int64_t axis : axes) dims.push_back((*shape)[static_cast<int>(axis)]);
  return Shape::of(dims);
}

DimVector inverse_of(Dims axes) {
  DimVector inverse(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) inverse[static_cast<size_t>(axes[i])] = static_cast<std::int64_t>(i);
  return inverse;
}

bool lies_in(const Shape* shape, Dims strides, MemoryFormat format) {
  if (format == MemoryFormat::kContiguous || format == MemoryFormat::kPreserve)
    return strides_attribute(shape, strides) == nullptr;
  if (shape->rank() != rank_of(format)) return false;
  std::int64_t expected = 1;
  for (int axis : axes_of(format)) {
    std::int64_t size = (*shape)[axis];
    if (size == 1) continue;
    if (strides[static_cast<size_t>(axis)] != expected) return false;
    expected *= size;
  }
  return true;
}

DimVector strides_in(const Shape* shape, MemoryFormat format) {
  if (format == MemoryFormat::kContiguous) return contiguous_strides(shape);
  check(shape->rank() == rank_of(format), "required rank ", rank_of(format), " tensor to use channels_last",
        format == MemoryFormat::kChannelsLast ? "" : "_3d", " format");
  std::span<const int> axes = axes_of(format);
  return strides_along(shape, DimVector(axes.begin(), axes.end()));
}

MemoryFormat suggested_format(const Shape* shape, Dims strides) {
  for (MemoryFormat format : {MemoryFormat::kChannelsLast, MemoryFormat::kChannelsLast3d})
    if (has_format(shape, strides, format)) return format;
  return MemoryFormat::kContiguous;
}

DimVector preserved_strides(const Shape* shape, Dims strides) {
  DimVector own(strides.begin(), strides.end());
  if (is_dense(shape, strides)) return own;
  return strides_along(shape, sorted_axes(shape, {&own, 1}));
}

DimVector elementwise_strides(const Shape* shape, std::span<Value* const> operands) {
  std::vector<DimVector> strides;
  bool alike = true;
  for (const Value* operand : operands) {
    alike &= operand->shape == shape;
    strides.push_back(strides_under(shape, operand));
  }
  auto all = [&](auto&& holds) { return std::ranges::all_of(strides, holds); };
  if (alike) {
    for (MemoryFormat format : {MemoryFormat::kContiguous, MemoryFormat::kChannelsLast})
      if (all([&](const DimVector& of) { return lies_in(shape, of, format); })) return strides_in(shape, format);
    if (is_dense(shape, strides[0]) && all([&](const DimVector& of) { return of == strides[0]; })) return strides[0];
  }
  return strides_along(shape, sorted_axes(shape, strides));
}

namespace {

// Channels last if an operand suggests that (`every`: if all do), else contiguous. Parts without elements do not
// matter.
DimVector windows_strides(const Shape* shape, std::span<Value* const> operands, bool every) {
  MemoryFormat format = MemoryFormat::kContiguous;
  for (const Value* operand : operands) {
    if (every && operand->shape->numel() == 0) continue;
    MemoryFormat own = suggested_format(operand->shape, shown_strides(operand));
    if (every && own == MemoryFormat::kContiguous) return contiguous_strides(shape);
    if (own != MemoryFormat::kContiguous) format = own;
  }
  return strides_in(shape, format);
}

}  // namespace

void hand_on_order(Value* value, std::span<Value* const> inputs) {
  const Value* first = inputs[0];
  switch (row(value->op).kernel.family) {
    case Family::kElementwise:
    case Family::kCast:
      return show_strides(value, elementwise_strides(value->shape, inputs));
    case Family::kCopy:
    case Family::kSliceUpdate:
      return show_strides(value, preserved_strides(value->shape, shown_strides(first)));
    case Family::kConvolution:
      return show_strides(value, windows_strides(value->shape, inputs, false));
    case Family::kCat:
      return show_strides(value, windows_strides(value->shape, inputs, true));
    case Family::kRebase:
      return show_as(value, first);
    case Family::kView:
      if (op_of(value) == Op::detach) show_as(value, first);
      return;
    default:
      return;
  }
}

}  // namespace lamina

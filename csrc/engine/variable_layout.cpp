// Where a variable's elements would lie in PyTorch.
#include <algorithm>
#include <utility>

#include "engine/view_path.h"
#include "ops/view_layout.h"

namespace lamina::engine {

std::vector<const ViewPath*> steps_of(const Variable& variable) {
  std::vector<const ViewPath*> steps;
  for (const ViewPath* path = variable.path.get(); path; path = path->base.get()) steps.insert(steps.begin(), path);
  return steps;
}

LogicalLayout logical_layout(Variable& variable) {
  auto steps = steps_of(variable);
  const ValuePtr& base = variable.is_view() ? variable.cell->value : current(variable);
  const Shape* shape = base->shape;
  Places places{0, base_strides(base.get())};
  for (const ViewPath* step : steps) {
    const Shape* next = step->spec.shape;
    places = view_places(step->spec.op, step->spec.attribute, shape, places, next)
                 .value_or(Places{0, contiguous_strides(next)});
    shape = next;
  }
  return {std::move(places.strides), places.offset};
}

DimVector repeating_axes(Variable& variable) {
  DimVector axes;
  if (!is_expanded(variable)) return axes;
  DimVector strides = logical_layout(variable).strides;
  for (std::size_t axis = 0; axis < strides.size(); ++axis)
    if (strides[axis] == 0 && current(variable)->shape->dims()[axis] > 1)
      axes.push_back(static_cast<std::int64_t>(axis));
  return axes;
}

bool is_contiguous(Variable& variable, MemoryFormat format) {
  bool plain = !variable.is_view() && !current(variable)->has(kReordered);
  if (plain && format == MemoryFormat::kContiguous) return true;
  return lies_in(current(variable)->shape, logical_layout(variable).strides, format);
}

DimVector base_strides(const Value* base) {
  if (!base->has(kReordered)) return contiguous_strides(base->shape);
  DimVector strides = shown_strides(base);
  return is_dense(base->shape, strides) ? strides : contiguous_strides(base->shape);
}

namespace {

// Does each place between the first and the last element belong to exactly one of them?
bool has_no_gaps(const Shape* shape, const DimVector& strides) {
  std::vector<std::pair<std::int64_t, std::int64_t>> axes;
  for (int axis = 0; axis < shape->rank(); ++axis)
    if ((*shape)[axis] != 1) axes.emplace_back(strides[static_cast<std::size_t>(axis)], (*shape)[axis]);
  std::sort(axes.begin(), axes.end());
  std::int64_t expected = 1;
  for (auto [stride, size] : axes)
    if (stride != std::exchange(expected, expected * size)) return false;
  return true;
}

}  // namespace

bool overlaps_in_part(Variable& a, Variable& b) {
  if (!a.cell || a.cell.get() != b.cell.get()) return false;
  const Shape *first = current(a)->shape, *second = current(b)->shape;
  if (first->numel() == 0 || second->numel() == 0) return false;
  LogicalLayout x = logical_layout(a), y = logical_layout(b);
  if (!has_no_gaps(first, x.strides) || !has_no_gaps(second, y.strides)) return false;
  auto bytes = [](Variable& v) { return static_cast<std::int64_t>(size_of(current(v)->dtype)); };
  std::int64_t x_begin = x.offset * bytes(a), y_begin = y.offset * bytes(b);
  if (x_begin == y_begin && first->numel() == second->numel() && x.strides == y.strides) return false;
  return x_begin < y_begin + second->numel() * bytes(b) && y_begin < x_begin + first->numel() * bytes(a);
}

bool is_viewable_as(Variable& variable, const Shape* shape) {
  if (!variable.is_view() && !current(variable)->has(kReordered)) return true;
  LogicalLayout own = logical_layout(variable);
  const Shape* from = current(variable)->shape;
  return view_layout(Op::reshape, nullptr, from, {own.offset, strides_attribute(from, own.strides)}, shape).has_value();
}

}  // namespace lamina::engine

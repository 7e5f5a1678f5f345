// Where a variable's elements would lie in PyTorch.
#include "engine/variable.h"
#include "ops/view_layout.h"

namespace lamina::engine {

std::vector<const ViewPath*> steps_of(const Variable& variable) {
  std::vector<const ViewPath*> steps;
  for (const ViewPath* path = variable.path.get(); path; path = path->base.get()) steps.insert(steps.begin(), path);
  return steps;
}

LogicalLayout logical_layout(Variable& variable) {
  auto steps = steps_of(variable);
  const Shape* shape = variable.is_view() ? variable.cell->value->shape : current(variable)->shape;
  Places places{0, contiguous_strides(shape)};
  for (const ViewPath* step : steps) {
    const Shape* next = step->spec.shape;
    places = view_places(step->spec.op, step->spec.attribute, shape, places, next)
                 .value_or(Places{0, contiguous_strides(next)});
    shape = next;
  }
  // Axes of size 1 are stepped over as in a contiguous tensor, if the others lie so.
  bool whole = shape->numel() > 0 && !strides_attribute(shape, places.strides);
  return {whole ? contiguous_strides(shape) : std::move(places.strides), places.offset};
}

bool is_contiguous(Variable& variable) {
  if (!variable.is_view()) return true;
  LogicalLayout layout = logical_layout(variable);
  return strides_attribute(current(variable)->shape, layout.strides) == nullptr;
}

bool is_viewable_as(Variable& variable, const Shape* shape) {
  if (!variable.is_view()) return true;
  LogicalLayout own = logical_layout(variable);
  const Shape* from = current(variable)->shape;
  return view_layout(Op::reshape, nullptr, from, {own.offset, strides_attribute(from, own.strides)}, shape).has_value();
}

}  // namespace lamina::engine

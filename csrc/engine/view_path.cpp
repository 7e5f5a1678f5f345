// Views as steps from a base.
#include "engine/view_path.h"

#include "engine/tangents.h"
#include "ops/build.h"
#include "ops/record.h"
#include "support/check.h"

namespace lamina::engine {

const Attribute* untracked() {
  static const Attribute* attribute = Attribute::of({1});
  return attribute;
}

ValuePtr apply(const ViewSpec& spec, const ValuePtr& base) {
  ValuePtr view;
  if (spec.op == Op::detach) {
    FollowTangents off(false);  // what a user detaches has none
    view = build::detach(base);
  } else if (spec.op == Op::as_strided) {
    view = build::as_strided(base, spec.shape, spec.attribute);
  } else if (spec.op == Op::bitcast) {
    view = build::bitcast(base, static_cast<DType>((*spec.attribute)[0]));
  } else if (spec.op == Op::view_as_real || spec.op == Op::view_as_complex) {
    view = spec.op == Op::view_as_real ? build::view_as_real(base) : build::view_as_complex(base);
  } else {
    view = record(spec.op, {base.get()}, spec.shape, base->dtype, spec.attribute);
  }
  // Which strides these are is found out when somebody asks.
  bool reorders = spec.op == Op::permute || spec.op == Op::as_strided || spec.op == Op::expand;
  if (reorders || base->has(kReordered)) view->flags |= kReordered;
  return view;
}

ValuePtr apply(const ViewPath& step, const ValuePtr& base) {
  if (!step.has_own_tangent) [[likely]]
    return apply(step.spec, base);
  FollowTangents off(false);
  ValuePtr view = apply(step.spec, base);
  if (step.tangent && in_dual_level()) set_tangent(view.get(), step.tangent);
  return view;
}

bool is_expanded(const Variable& variable) {
  for (const ViewPath* path = variable.path.get(); path; path = path->base.get())
    if (path->spec.op == Op::expand || path->spec.op == Op::as_strided) return true;
  return false;
}

bool crosses(const Variable& variable, const Attribute* kind) {
  for (const ViewPath* path = variable.path.get(); path; path = path->base.get())
    if (path->spec.op == Op::detach && path->spec.attribute == kind) return true;
  return false;
}
std::uint32_t& changes_of(Variable& variable) {
  for (ViewPath* path = variable.path.get(); path; path = path->base.get())
    if (path->spec.op == Op::detach && path->spec.attribute == untracked()) return path->changes;
  return variable.cell ? variable.cell->changes : variable.changes;
}
bool has_own_tangent(const Variable& variable) {
  for (const ViewPath* path = variable.path.get(); path; path = path->base.get())
    if (path->has_own_tangent && in_dual_level()) return true;
  return false;
}
bool shows_whole_base(const Variable& variable) {
  for (const ViewPath* path = variable.path.get(); path; path = path->base.get())
    if (path->spec.op != Op::detach) return false;
  return true;
}
const ViewPath* detaching_step(const Variable& variable) {
  const ViewPath* path = variable.path.get();
  while (path && path->spec.op != Op::detach) path = path->base.get();
  return path;
}
bool is_detached(const Variable& variable) { return detaching_step(variable) != nullptr; }

void keep_leaf(const ValuePtr& old, const ValuePtr& fresh) {
  if (!old->leaf) return;
  attach_leaf(fresh.get(), LeafPtr(old->leaf));
  fresh->flags |= kRequiresGrad;
}

void keep_mode(const ValuePtr& old, const ValuePtr& fresh) {
  fresh->flags = static_cast<std::uint16_t>((fresh->flags & ~kInferenceMade) | (old->flags & kInferenceMade));
}

void move_watchers(const ValuePtr& old, const ValuePtr& fresh) {
  if (old->hooks && fresh->requires_grad()) old->hooks->moved(old.get(), fresh.get());
}

}  // namespace lamina::engine

// Variables: views that follow their cell, leaves, memory for the outside. In-place operations: assign.cpp.
#include "engine/variable.h"

#include <cstring>

#include "engine/flush.h"
#include "engine/running_plans.h"
#include "engine/tangents.h"
#include "engine/view_guards.h"
#include "engine/view_path.h"
#include "ops/build.h"
#include "ops/view_layout.h"
#include "support/check.h"

namespace lamina::engine {

namespace {

void ensure_cell(Variable& variable) {
  if (variable.cell) return;
  variable.cell = IntrusivePtr<Cell>::adopt(new Cell);
  variable.cell->value = variable.value;
  variable.cell->changes = variable.changes;
}

}  // namespace

namespace {

// Whether `view` still is a view of `base`, as the value that stands for it is: nothing was assigned to either.
bool shows(const Value* view, const Value* base) {
  while (view && view != base && is_view(view) && !view->operands().empty()) view = view->inputs[0];
  return view == base;
}

// What shows the same numbers stays what gradients know, and only lies where the base does from now on.
bool moved_with_base(Variable& variable) {
  Value *view = variable.value.get(), *base = variable.cell->value.get();
  if (!view->requires_grad() || view->leaf || !shows(view, base)) return false;
  ValuePtr value = variable.cell->value;
  {
    GradMode mode(false);
    for (const ViewPath* step : steps_of(variable)) value = apply(*step, value);
  }
  if (!view->storage || !value->storage) return false;
  if (view->storage != value->storage) {
    flush();  // what is pending reads the numbers that it was recorded for
    attach_storage(view, StoragePtr(value->storage), value->layout);
  }
  variable.seen = variable.cell->version;
  return true;
}

}  // namespace

ValuePtr unshared(ValuePtr value) {
  return value->references == 1 && !is_view(value.get()) ? value : build::clone(value);
}

void release(ViewPath* path) {
  if (--path->references == 0) delete path;
}

void refresh(Variable& variable) {
  if (variable.changes != variable.cell->changes) refuse_guarded(variable, kBaseChanged, kInFunction);
  if (moved_with_base(variable)) return;
  GradMode mode(true);
  const ValuePtr& old = variable.value;
  ValuePtr value = variable.cell->value, history;
  for (const ViewPath* step : steps_of(variable)) {
    value = apply(*step, value);
    if (step->spec.op == Op::detach)
      history = step->history;
    else if (history)
      history = apply(*step, history);
  }
  carry_tangent(old, value);
  if (old->leaf) {
    if (value->references > 1) value = build::detach(value);
    keep_leaf(old, value);
    keep_mode(old, value);
  } else if (history) {
    value = build::rebase(value, history);  // a history of its own, which the base has not
  } else if (old->requires_grad() && (is_detached(variable) || is_guarded(variable, kInFunction))) {
    value = build::rebase(value, old);
  } else if (variable.cell->lost_history && old->requires_grad() && !value->requires_grad()) {
    if (value->references > 1) value = build::detach(value);
    value->flags |= kRequiresGrad;  // of a history that ends here
  }
  move_watchers(variable.value, value);
  variable.value = std::move(value);
  variable.seen = variable.cell->version;
}

Variable view_of(Variable& base, const std::vector<ViewSpec>& specs, ValuePtr numbers) {
  Variable view;
  view.value = current(base);
  if (numbers) view.value = std::move(numbers);
  ensure_cell(base);
  view.cell = base.cell;
  view.path = base.path;
  base.seen = view.seen = base.cell->version;
  view.changes = base.cell->changes;
  for (const ViewSpec& spec : specs) {
    auto* path = new ViewPath;
    path->base = view.path;
    path->spec = spec;
    path->spec.guard = static_cast<std::uint8_t>(spec.guard | guard_of_mode());
    view.path = IntrusivePtr<ViewPath>::adopt(path);
    view.value = apply(spec, view.value);
  }
  return view;
}

bool is_leaf_of_part(Variable& variable) {
  if (shows_whole_base(variable) || !current(variable)->requires_grad()) return false;
  return is_detached(variable) || !variable.cell->value->requires_grad();
}

namespace {

// Of a leaf of part: the gradient is that of its own elements, so the view has to be one of these, in row-major order,
// or of the first alone, which any layout has there.
Variable strided_view_of_part(Variable& variable, const Shape* shape, const Attribute* offset_and_strides) {
  DimVector places(offset_and_strides->values().begin(), offset_and_strides->values().end());
  places[0] -= logical_layout(variable).offset;
  std::int64_t last = places[0];
  for (int axis = 0; axis < shape->rank(); ++axis)
    last += ((*shape)[axis] - 1) * places[static_cast<std::size_t>(axis) + 1];
  bool inside = places[0] >= 0 && (shape->numel() == 0 || last < current(variable)->shape->numel());
  bool first_alone = places[0] == 0 && shape->numel() == 1;
  check(inside && (first_alone || is_contiguous(variable)),
        "a tensor that requires grad and is detached from a part of another has strided views of its own elements "
        "only, and these must be contiguous; clone() it first");
  return view_of(variable, {{Op::as_strided, shape, Attribute::of(places)}});
}

}  // namespace

Variable strided_view(Variable& variable, const Shape* shape, const Attribute* offset_and_strides) {
  const Value* memory = variable.is_view() ? variable.cell->value.get() : current(variable).get();
  std::vector<ViewSpec> specs;
  const Shape* dense = memory->shape;
  if (memory->has(kReordered)) {
    auto axes = *axes_in_memory(dense, base_strides(memory));
    dense = permuted(dense, axes);
    specs.push_back({Op::permute, dense, Attribute::of(axes)});
  }
  DType dtype = current(variable)->dtype, shown = memory->dtype;
  const auto show_as = [&](DType type) {
    if (shown != type)
      specs.push_back({Op::bitcast, dense, Attribute::of({static_cast<std::int64_t>(index_of(type))})});
    shown = type;
  };
  while (size_of(dtype) < size_of(shown)) {
    show_as(complex_of_size(size_of(shown)));
    specs.push_back({Op::view_as_real, dense = build::with_parts(dense)});
    shown = part_type(shown);
  }
  while (size_of(dtype) > size_of(shown)) {
    show_as(part_type(complex_of_size(2 * size_of(shown))));
    specs.push_back({Op::reshape, Shape::of({dense->numel() / 2, 2})});
    specs.push_back({Op::view_as_complex, dense = Shape::of({dense->numel() / 2})});
    shown = complex_type(shown);
  }
  specs.push_back({Op::as_strided, shape, offset_and_strides});
  if (shown != dtype)
    specs.push_back({Op::bitcast, shape, Attribute::of({static_cast<std::int64_t>(index_of(dtype))})});
  if (shows_whole_base(variable)) return view_of(variable, specs);
  if (has_own_tangent(variable)) {
    bool whole = is_contiguous(variable) && current(variable)->shape->numel() == variable.cell->value->shape->numel();
    if (!whole) fail(ErrorKind::kNotImplemented, "as_strided() of a dual tensor that shows only a part of its memory");
    return view_of(variable, {{Op::as_strided, shape, offset_and_strides}});
  }
  bool detached = is_detached(variable);
  if (is_leaf_of_part(variable)) return strided_view_of_part(variable, shape, offset_and_strides);
  Variable base(variable.cell->value);
  base.cell = variable.cell;
  base.seen = variable.cell->version;
  if (!detached) return view_of(base, specs);
  const Attribute* kind = crosses(variable, nullptr) ? nullptr : untracked();
  specs.insert(specs.begin(), {Op::detach, base.value->shape, kind});
  return view_of(base, specs);
}

Variable detached(Variable& base, bool tracked) {
  const Shape* shape = current(base)->shape;
  return view_of(base, {{Op::detach, shape, tracked ? nullptr : untracked()}});
}

ValuePtr with_leaf(Variable& variable, LeafPtr leaf) {
  ValuePtr value = std::move(variable.value);
  if (variable.cell && !variable.is_view()) variable.cell->value.reset();
  // Alone, it can be changed where it is; the sharing of memory with a base or views goes on either way.
  if (value->references > 1 || (leaf && value->op == kScalar)) value = build::detach(value);
  bool requires_grad = static_cast<bool>(leaf);
  attach_leaf(value.get(), std::move(leaf));
  value->flags =
      static_cast<std::uint16_t>(requires_grad ? value->flags | kRequiresGrad : value->flags & ~kRequiresGrad);
  return value;
}

namespace {

// Moves a base's numbers, which nothing pending reads, to where the outside expects them.
void arrange(Variable& variable, const ValuePtr& base) {
  DimVector strides = base_strides(base.get());
  const Attribute* shown = strides_attribute(base->shape, strides);
  if (base->storage->exposed() || base->layout.strides == shown) return;
  ValuePtr rows = build::clone(build::permute(build::detach(base), *axes_in_memory(base->shape, strides)));
  realize(rows.get());
  attach_storage(base.get(), StoragePtr(rows->storage), {0, shown});
  if (!variable.cell) return;
  ++variable.cell->version;
  refresh(variable);
}

}  // namespace

bool has_gaps(Variable& variable) {
  const Value* base = (variable.is_view() ? variable.cell->value : current(variable)).get();
  return base->storage && base->storage->exposed() &&
         base->layout.strides != strides_attribute(base->shape, base_strides(base));
}

Variable memory_of(Variable& variable) {
  check(!has_gaps(variable), "an array with gaps between its elements has no storage; clone() the tensor first");
  const ValuePtr& base = variable.is_view() ? variable.cell->value : current(variable);
  const Shape* shape = base->shape;
  std::vector<ViewSpec> specs{{Op::detach, shape, untracked()}};
  if (base->has(kReordered)) {
    DimVector axes = *axes_in_memory(shape, base_strides(base.get()));
    shape = permuted(shape, axes);
    specs.push_back({Op::permute, shape, Attribute::of(axes)});
  }
  specs.push_back({Op::reshape, Shape::of({shape->numel()})});
  if (!variable.is_view()) return view_of(variable, specs);
  Variable whole(base);
  whole.cell = variable.cell;
  whole.seen = variable.cell->version;
  return view_of(whole, specs);
}

void move_memory(Variable& variable, StoragePtr memory) {
  make_exportable(variable);
  ValuePtr base = variable.is_view() ? variable.cell->value : current(variable);
  std::memcpy(memory->data, data_of(base.get()), static_cast<std::size_t>(base->shape->numel()) * size_of(base->dtype));
  attach_storage(base.get(), std::move(memory), {0, strides_attribute(base->shape, base_strides(base.get()))});
  if (!variable.cell) return;
  ++variable.cell->version;
  refresh(variable);
}

void make_exportable(Variable& variable) {
  realize(current(variable).get());
  const KeepLock lock;  // from here to where the memory is handed out no other thread changes the variable
  ValuePtr base = variable.is_view() ? variable.cell->value : current(variable);
  // A base that shares its memory with values of others, or has none that can be written to, gets its own first.
  bool exposed = base->storage && base->storage->exposed();
  bool spread = base->op == kScalar || base->op == static_cast<OpId>(Op::expand);
  if (!exposed && !base->requires_grad() &&
      (spread || (base->storage && !variable.cell && base->storage->references > 1))) {
    base = build::clone(base);
    if (variable.cell) {
      variable.cell->value = base;
      ++variable.cell->version;
      refresh(variable);
    } else {
      variable.value = base;
    }
  }
  realize(current(variable).get());
  realize(base.get());
  flush();  // nothing pending may read this memory later, when the outside has changed it
  arrange(variable, base);
  // Views that were made while the base had no memory yet may have numbers of their own.
  if (!exposed && variable.cell) ++variable.cell->version;
  realize(current(variable).get());
}

}  // namespace lamina::engine

// In-place operations on variables: a new value is written back along the view's steps into the base's.
#include <algorithm>
#include <cstring>

#include "compile/iteration_space.h"
#include "engine/examples.h"
#include "engine/flush.h"
#include "engine/journal.h"
#include "engine/put_elements.h"
#include "engine/tangents.h"
#include "engine/view_guards.h"
#include "engine/view_path.h"
#include "graph/tape.h"
#include "ops/build.h"
#include "ops/meta.h"
#include "ops/view_layout.h"
#include "plan/plan.h"
#include "runtime/buffer.h"
#include "runtime/steps.h"
#include "support/check.h"

namespace lamina::engine {

namespace {

// `base` with the view's elements replaced by `fresh`.
ValuePtr put(const ViewSpec& spec, const ValuePtr& base, const ValuePtr& fresh) {
  switch (spec.op) {
    case Op::reshape:
      return build::reshape(fresh, base->shape);
    case Op::permute:
      return build::permute(fresh, inverse_of(spec.attribute->values()));
    case Op::slice:
      return build::slice_update(base, fresh, spec.attribute);
    case Op::detach:
      return fresh;
    case Op::bitcast:
      return build::bitcast(fresh, base->dtype);
    case Op::view_as_real:
      return build::view_as_complex(fresh);
    case Op::view_as_complex:
      return build::view_as_real(fresh);
    default:
      throw std::logic_error(text("nothing undoes ", row(static_cast<OpId>(spec.op)).name));
  }
}

// A detached view of a cell that nobody else looks at is a base itself.
void collapse_lonely(Variable& variable) {
  if (!variable.cell || variable.cell->references != 1) return;
  if (!shows_whole_base(variable)) return;
  variable.changes = changes_of(variable);
  variable.cell.reset();
  variable.path.reset();
}

void copy_now(DimVector dims, std::size_t size, std::byte* from, DimVector from_strides, std::byte* to,
              DimVector to_strides) {
  DimVector* const both[] = {&from_strides, &to_strides};
  collapse(dims, both);
  const CopyStep step{
      std::move(dims), std::move(from_strides), std::move(to_strides), static_cast<std::uint8_t>(size), {0, 0}, {1, 0}};
  std::byte* slots[2] = {from, to};
  runtime::run(step, slots);
}

// Writes `fresh` into memory that the outside shares, and returns a value over that memory.
ValuePtr write_through(const ValuePtr& old, const ValuePtr& fresh) {
  realize(old.get());
  realize(fresh.get());
  // The old value stays what it was for the gradients that read it: it moves to memory of its own.
  ValuePtr kept = build::clone(build::detach(old));
  realize(kept.get());
  ValuePtr leaf = make_leaf(StoragePtr(old->storage), old->shape, old->dtype, old->layout);
  if (old->shape->numel() == 0) return leaf;
  const DimVector dims(old->shape->dims().begin(), old->shape->dims().end());
  const std::size_t size = size_of(old->dtype);
  std::byte* from = data_of(fresh.get());
  DimVector from_strides = strides_of(fresh->shape, fresh->layout);
  std::vector<std::byte> staged;
  if (fresh->storage == old->storage) {  // it may be a rearrangement of the very same memory
    DimVector row_major = contiguous_strides(old->shape);
    staged.resize(static_cast<std::size_t>(old->shape->numel()) * size);
    copy_now(dims, size, from, from_strides, staged.data(), row_major);
    from = staged.data();
    from_strides = std::move(row_major);
  }
  copy_now(dims, size, from, from_strides, data_of(old.get()), strides_of(old->shape, old->layout));
  attach_storage(old.get(), StoragePtr(kept->storage), kept->layout);
  copy_tangent(fresh.get(), leaf.get());
  return fresh->requires_grad() ? build::rebase(leaf, fresh) : leaf;
}

thread_local bool t_saved_may_change = false;
// Of the in-place operation that this thread is at; 0: none said so. Another thread may be at one of its own: the
// interpreter's lock is released between an operation's start and its end if it has to look at numbers.
thread_local std::uint64_t t_operation_start = 0;

// A view's numbers are its base's, so both have changed; unless `tracked`, only up to the step that hides changes.
void mark_overwritten(const ValuePtr& old, bool tracked) {
  if (t_saved_may_change) return;
  for (Value* value = old.get(); value; value = is_view(value) ? value->inputs[0] : nullptr) {
    value->flags |= kOverwritten;
    value->overwritten_at = t_operation_start ? t_operation_start : current_sequence();
    if (!tracked && op_of(value) == Op::detach) return;
  }
}

// A tensor that has a history keeps one when numbers without history overwrite it: a gradient of 0 for the old value,
// or, where nothing is recorded, the history as it was.
ValuePtr with_history(const ValuePtr& old, ValuePtr fresh) {
  if (!old->requires_grad() || old->leaf || fresh->requires_grad()) return fresh;
  if (!grad_enabled()) {
    GradMode mode(true);
    return build::rebase(fresh, old);
  }
  return build::overwrite(old, fresh);
}

// The numbers of `fresh`'s tangent, or zeros.
void write_tangent(Tangent& tangent, const ValuePtr& fresh) {
  TangentPtr after = tangent_of(fresh.get());
  if (after.get() == &tangent) return;
  FollowTangents off(false);
  std::uint64_t start = t_operation_start;
  assign(tangent.variable(), after ? current(after->variable()) : build::zeros_like(fresh));
  t_operation_start = start;
}

// Does the tangent stay on this side of the step? If so, it is kept there.
bool keeps_tangent(const ViewPath& step, const ValuePtr& fresh) {
  if (!tangents_followed() || !(step.has_own_tangent || step.spec.op == Op::detach)) return false;
  if (step.tangent) {
    write_tangent(*step.tangent, fresh);
  } else if (TangentPtr tangent = tangent_of(fresh.get())) {
    step.tangent = std::move(tangent);
    step.has_own_tangent = true;
  }
  return true;
}

// What a variable whose value was `old` holds after an in-place operation gave it `fresh`.
ValuePtr finish(const ValuePtr& old, ValuePtr fresh, bool tracked) {
  if (tracked) mark_overwritten(old, true);
  if (old->storage && old->storage->exposed())
    fresh = write_through(old, fresh);
  else
    fresh = unshared(std::move(fresh));
  carry_tangent(old, fresh);
  keep_leaf(old, fresh);
  move_watchers(old, fresh);
  show_as(fresh.get(), old.get());
  keep_mode(old, fresh);
  return fresh;
}

// tracked: it is to be given something that requires a gradient.
void refuse_unassignable(Variable& variable, bool tracked = false) {
  const ValuePtr& value = current(variable);
  refuse_in_inference(value.get());
  check(!value->storage || !value->storage->read_only,
        "cannot write to a tensor over a read-only array; clone() it first");
  check(!is_expanded(variable) || value->shape->numel() == 0 || repeating_axes(variable).empty(),
        "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
        "Please clone() the tensor before performing the operation.");
  if (value->has(kDual)) [[unlikely]] {
    if (TangentPtr tangent = tangent_of(value.get())) refuse_unassignable(tangent->variable());
  }
  refuse_guarded(variable, kChanged, kAnyGuard, tracked);
  refuse_leaf(variable);
}

}  // namespace

bool allow_changes_of_saved(bool allowed) { return std::exchange(t_saved_may_change, allowed); }

void check_assignable(Variable& variable) {
  refuse_unassignable(variable);
  t_operation_start = current_sequence();
}

ValuePtr replacing(Variable& variable, ValuePtr fresh) {
  const ValuePtr& old = current(variable);
  const Value* base = variable.cell ? variable.cell->value.get() : old.get();
  const bool all = base->shape->numel() == old->shape->numel();
  if (!all || !grad_enabled() || !fresh->requires_grad() || !old->requires_grad() || old->leaf) return fresh;
  return build::overwrite(old, fresh);
}

void abandon_operation() { t_operation_start = 0; }

namespace {

// The view's base with `fresh` where the view shows it: each step of the path is undone, innermost first.
// apart: set if the view has a tangent that its base has not.
ValuePtr put_into_base(Variable& variable, const ValuePtr& base, ValuePtr fresh, bool& apart) {
  auto steps = steps_of(variable);
  if (is_expanded(variable)) {
    if (has_own_tangent(variable))
      fail(ErrorKind::kNotImplemented, "in-place changes of expanded or strided views of a dual tensor");
    if (is_detached(variable)) {
      apart = true;
      follow_tangents(false);
    }
    return put_elements(steps, base, fresh);
  }
  std::vector<ValuePtr> along{base};
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) along.push_back(apply(*steps[i], along.back()));
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (keeps_tangent(*steps[i], fresh)) {
      apart = true;
      follow_tangents(false);
      fresh = record(Op::reshape, {fresh.get()}, fresh->shape, fresh->dtype);
    }
    fresh = put(steps[i]->spec, along[i], fresh);
  }
  return fresh;
}

// Gives the cell its new value. A detached alias that was given something with a history has that history itself, which
// is returned; its base has only the numbers.
ValuePtr assign_view(Variable& variable, const ValuePtr& old, ValuePtr fresh) {
  Cell& cell = *variable.cell;
  bool tracked = !crosses(variable, untracked()), numbers_only = is_detached(variable), apart = false;
  ValuePtr base = cell.value, history;
  if (numbers_only && grad_enabled() && fresh->requires_grad()) history = fresh;
  FollowTangents scope(follows_tangents());
  {
    GradMode mode(grad_enabled() && !numbers_only);
    fresh = with_history(base, put_into_base(variable, base, std::move(fresh), apart));
  }
  if (numbers_only && fresh->requires_grad()) fresh = build::detach(fresh);
  // Changed through .detach() or .data, a computed tensor keeps its history.
  if (numbers_only && base->requires_grad() && !base->leaf) {
    GradMode mode(true);
    fresh = build::rebase(fresh, base);
  }
  mark_overwritten(old, tracked);
  cell.value = finish(base, std::move(fresh), tracked);
  if (TangentPtr own = apart ? tangent_of(base.get()) : nullptr) set_tangent(cell.value.get(), std::move(own));
  return history;
}

// What a detached tensor is given, in part or as a whole, is its history, too; its base has only the numbers. To be
// called before the cell has its new value.
void tell_detached(Variable& variable, const ValuePtr& fresh) {
  const ViewPath& detached = *detaching_step(variable);
  if (!grad_enabled() || (!detached.history && !fresh->requires_grad())) return;
  const std::vector<const ViewPath*> steps = steps_of(variable);
  const std::size_t last =
      static_cast<std::size_t>(std::find(steps.begin(), steps.end(), &detached) - steps.begin()) + 1;
  std::vector<ValuePtr> along{detached.history};
  if (!along[0]) {
    along[0] = variable.cell->value;
    for (std::size_t i = 0; i < last; ++i) along[0] = apply(*steps[i], along[0]);
  }
  for (std::size_t i = last; i + 1 < steps.size(); ++i) along.push_back(apply(*steps[i], along.back()));
  ValuePtr put_there = fresh;
  if (is_expanded(variable))
    put_there = put_elements({steps.begin() + static_cast<std::ptrdiff_t>(last), steps.end()}, along[0], fresh);
  else
    for (std::size_t i = steps.size(); i-- > last;) put_there = put(steps[i]->spec, along[i - last], put_there);
  detached.history = put_there->requires_grad() ? std::move(put_there) : nullptr;
}

}  // namespace

void assign(Variable& variable, ValuePtr fresh) {
  refuse_unassignable(variable, fresh->requires_grad());
  check_device(variable.value->device(), fresh->device());
  check_stays_inside(variable.cell ? variable.cell->value.get() : variable.value.get(), fresh.get());
  note_change(variable);
  ValuePtr old = current(variable);
  collapse_lonely(variable);
  if (!variable.cell) {
    variable.value = finish(old, with_history(old, std::move(fresh)), true);
    ++variable.changes;
    t_operation_start = 0;
    return;
  }
  ValuePtr history;
  if (is_detached(variable)) tell_detached(variable, fresh);
  if (variable.is_view())
    history = assign_view(variable, old, std::move(fresh));
  else
    variable.cell->value = finish(old, with_history(old, std::move(fresh)), true);
  ++variable.cell->version;
  ++changes_of(variable);
  if (grad_enabled()) variable.changes = variable.cell->changes;
  refresh(variable);
  t_operation_start = 0;
  if (history) variable.value = build::rebase(variable.value, history);
}

void assign(Variable&& passing, ValuePtr fresh) {
  struct Forgets {
    const Variable& variable;
    ~Forgets() { forget_variable(variable); }
  } const forgets{passing};
  assign(passing, std::move(fresh));
}

void carry_tangent(const ValuePtr& old, const ValuePtr& fresh) {
  if (!tangents_followed()) return;
  if (TangentPtr before = tangent_of(old.get())) {
    write_tangent(*before, fresh);
    set_tangent(fresh.get(), std::move(before));
  }
}

void replace(Variable& variable, ValuePtr fresh) {
  note_change(variable);
  ValuePtr old = current(variable);
  fresh = unshared(std::move(fresh));
  keep_leaf(old, fresh);
  if (variable.cell && !variable.is_view()) variable.cell->handle = nullptr;
  std::uint32_t changes = changes_of(variable);
  variable = Variable(std::move(fresh));
  variable.changes = changes;
}

void lose_history(Variable& variable) {
  if (!variable.cell) return replace(variable, build::detach(current(variable)));
  note_change(variable);
  variable.value = variable.cell->value = unshared(build::detach(current(variable)));
  variable.cell->lost_history = true;
}

void share_memory_of(Variable& variable, Variable& source) {
  note_change(variable);
  ValuePtr old = current(variable);
  std::uint32_t changes = changes_of(variable);
  Variable shown = detached(source, false);
  if (variable.cell && !variable.is_view()) variable.cell->handle = nullptr;
  variable = std::move(shown);
  variable.path->changes = changes;
  variable.path->spec.guard = 0;  // users see no view
  if (old->leaf) {
    variable.value = with_leaf(variable, LeafPtr(old->leaf));
  } else if (old->requires_grad() && old->shape == variable.value->shape) {
    GradMode mode(true);
    variable.path->history = variable.value = build::rebase(variable.value, old);  // it keeps what it had
  }
}

void show_memory_of(Variable& variable, Variable& source) {
  ValuePtr old = current(variable);
  refuse_in_inference(old.get());
  refuse_leaf(variable);
  mark_overwritten(old, !crosses(variable, untracked()));
  share_memory_of(variable, source);
  ++changes_of(variable);
}

namespace {

void refuse_becoming_view(Variable& variable) {
  refuse_in_inference(current(variable).get());
  refuse_guarded(variable, kChanged, kAnyGuard);
  check(!grad_enabled() || !current(variable)->leaf,
        "a leaf Variable that requires grad is being used in an in-place operation.");
}

void become(Variable& variable, Variable view) {
  if (!variable.is_view()) variable.cell->handle = nullptr;
  // It is guarded as it was before, whatever the mode is now: nobody sees the view that is made on the way.
  view.path->spec.guard = variable.is_view() ? variable.path->spec.guard : 0;
  variable = std::move(view);
}

}  // namespace

void become_strided_view(Variable& variable, const Shape* shape, const Attribute* offset_and_strides) {
  refuse_becoming_view(variable);
  check(!current(variable)->leaf, "a leaf Variable that requires grad has no strided form in place");
  note_change(variable);
  GradMode mode(grad_enabled() || current(variable)->requires_grad());
  become(variable, strided_view(variable, shape, offset_and_strides));
}

void become_view(Variable& variable, const std::vector<ViewSpec>& specs) {
  refuse_becoming_view(variable);
  if (current(variable)->leaf) {
    ValuePtr value = variable.value;
    for (const ViewSpec& spec : specs) value = apply(spec, value);
    return replace(variable, std::move(value));
  }
  note_change(variable);
  GradMode mode(grad_enabled() || current(variable)->requires_grad());  // a history goes on
  become(variable, view_of(variable, specs));
}

}  // namespace lamina::engine

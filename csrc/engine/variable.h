// Variable: what a tensor handle refers to. Gives immutable values PyTorch's in-place and view semantics.
//
// A variable is a value, or a view of a cell: a box with a value that several variables share. An in-place operation
// makes a new value and puts it into the variable; if that is a view, the new numbers are written into the base's
// value, and every other variable of the cell derives its own anew when it is next read.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/value.h"
#include "ops/memory_order.h"
#include "ops/table.h"

namespace lamina::engine {

// Why in-place changes on one side of a step to a view are errors for the other, if gradients are recorded.
enum Guard : std::uint8_t {
  kInFunction = 1,   // a custom function returned the view
  kManyOutputs = 2,  // it is one of several results of an operation
  kInNoGrad = 4,     // it was made while no gradients were recorded
  kInInference = 8   // it was made in inference mode
};

// One step from a base to a view of it.
struct ViewSpec {
  Op op;
  const Shape* shape;
  const Attribute* attribute = nullptr;  // of a bitcast: the type
  std::uint8_t guard = 0;                // of Guard; the mode is added by view_of
};

struct Cell {
  std::uint32_t references = 1;
  std::uint32_t version = 0;  // counts every change: views derive their values anew
  std::uint32_t changes = 0;  // counts what PyTorch's version counter counts: not those through .data
  ValuePtr value;
  bool lost_history = false;  // the base was detached in place: views that had a history still say so
  void* handle = nullptr;     // who holds the base, for `Tensor._base`; the bindings set and clear it
};
inline void retain(Cell* cell) { ++cell->references; }
inline void release(Cell* cell) {
  if (--cell->references == 0) delete cell;
}

struct Tangent;  // engine/tangents.h
void retain(Tangent* tangent);
void release(Tangent* tangent);

// How a view is reached: `spec` applied to what `base` (null: the cell's value) gives.
struct ViewPath {
  std::uint32_t references = 1;
  // `tangent`, which may be null, is what the view has; not what its base gives.
  mutable bool has_own_tangent = false;
  std::uint32_t changes = 0;  // of a .data: in-place operations since then, which its base does not count
  ViewSpec spec;
  IntrusivePtr<ViewPath> base;
  mutable IntrusivePtr<Tangent> tangent;
  // Of a detach: what has the history of the detached tensor's own changes. Its numbers may be old ones.
  mutable ValuePtr history;
};
inline void retain(ViewPath* path) { ++path->references; }
void release(ViewPath* path);

struct Variable {
  ValuePtr value;  // read it through current()
  IntrusivePtr<Cell> cell;
  IntrusivePtr<ViewPath> path;
  std::uint32_t seen = 0;  // the cell's version that `value` is of
  // In-place operations so far, while there is no cell. Of a view: its cell's count when its history was last told.
  std::uint32_t changes = 0;

  Variable() = default;
  explicit Variable(ValuePtr from) : value(std::move(from)) {}
  bool is_view() const { return static_cast<bool>(path); }
  // As users see it: what detach() or .data gives shares memory, and is a tensor of its own.
  bool is_shown_as_view() const { return path && path->spec.op != Op::detach; }
};

// The steps from the cell to the variable, outermost first.
std::vector<const ViewPath*> steps_of(const Variable& variable);

void refresh(Variable& variable);
// The variable's value now.
inline const ValuePtr& current(Variable& variable) {
  if (variable.cell && variable.seen != variable.cell->version) refresh(variable);
  return variable.value;
}

// A view of `base`, sharing its numbers for ever. It is made from `numbers`, the base's own if null.
Variable view_of(Variable& base, const std::vector<ViewSpec>& specs, ValuePtr numbers = nullptr);
// What a custom function returned without recording itself is not to be changed in place with a history.
void guard_function_view(Variable& view);
// Raises PyTorch's error for a view that has no history any more, because its base was changed in place since.
void check_history(const Variable& view);
// Does it require a gradient of its own, or of a leaf on the way, while it shows only a part of its base? Its strided
// views are then made of its own elements in row-major order: view_of(variable, {as_strided}).
bool is_leaf_of_part(Variable& variable);
// Any strides over the elements of the variable's base, whatever part of it the variable shows.
Variable strided_view(Variable& variable, const Shape* shape, const Attribute* offset_and_strides);
// Shares numbers, not history. `tracked`: changes through it count as changes of the base for saved tensors (detach());
// else not (.data).
Variable detached(Variable& base, bool tracked);

// The in-place operation: `fresh` has the variable's shape and dtype. Raises PyTorch's errors for leaves that require a
// gradient, and for expanded views that show an element more than once.
void assign(Variable& variable, ValuePtr fresh);
// Of a view that was made for this and goes right afterwards: only its base has to be remembered.
void assign(Variable&& passing, ValuePtr fresh);
// Raises what assign would raise, before anything is computed. An in-place operation calls it first: what it records
// from then on may read the old numbers, what was recorded before must not any more.
void check_assignable(Variable& variable);
// `fresh`, for assign, where the operation does not look at what the variable was: if it replaces all of a base that
// has a history, that gets a gradient of 0, as every operand does.
ValuePtr replacing(Variable& variable, ValuePtr fresh);
// The operation that began with check_assignable has raised, and assigns nothing.
void abandon_operation();
// Whether gradients may go on reading what is changed in place from now on: they read the old numbers, which immutable
// values keep. Returns the former setting; each thread has its own.
bool allow_changes_of_saved(bool allowed);
// Makes the variable refer to another value altogether (`x.data = y`, load_state_dict): not seen by earlier views.
void replace(Variable& variable, ValuePtr fresh);
// A tensor that is no view, and its views from the next change on, have the same numbers without a history.
void lose_history(Variable& variable);

// The variable shows what `source` shows, in the same memory, and stays the leaf that it is, or keeps its history, if
// that is of its shape: `x.data = source`. Earlier views of it stay where they are.
void share_memory_of(Variable& variable, Variable& source);
// The same as a change in place: `x.set_(source)`. Raises PyTorch's errors as assign does.
void show_memory_of(Variable& variable, Variable& source);
// Does the variable's base lie in memory of others, with gaps between its elements? Users do not see the gaps.
bool has_gaps(Variable& variable);
// All of the memory under the variable, which has no gaps, as a row of elements in their order there; changes through
// it are not counted.
Variable memory_of(Variable& variable);
// Puts the numbers of the variable's base into this memory, which has room for them, for all that show them.
void move_memory(Variable& variable, StoragePtr memory);

// What `Tensor._version` shows: in-place operations on the variable's base, or on the tensor on the way to it that
// was made by .data.
std::uint32_t& changes_of(Variable& variable);

// The variable becomes a view of what it was (`x.t_()`).
void become_view(Variable& variable, const std::vector<ViewSpec>& specs);
// As strided_view.
void become_strided_view(Variable& variable, const Shape* shape, const Attribute* offset_and_strides);

// The value itself if the caller's reference is the only one, else a copy of it: to be given to a tensor of its own.
ValuePtr unshared(ValuePtr value);

// The variable's numbers as a value of its own, a leaf with this state (null: one that requires no gradient).
ValuePtr with_leaf(Variable& variable, LeafPtr leaf);

// Realizes the variable and everything pending, with dense memory under a base, so that the outside may read and write
// it.
void make_exportable(Variable& variable);

// Strides in elements as PyTorch would have them: a base is dense, a view walks its base.
struct LogicalLayout {
  DimVector strides;
  std::int64_t offset = 0;
};
LogicalLayout logical_layout(Variable& variable);
// The axes along which it shows the same elements over and over.
DimVector repeating_axes(Variable& variable);
bool is_contiguous(Variable& variable, MemoryFormat format = MemoryFormat::kContiguous);
// Of a value that is the base of views: those it shows, if they are dense.
DimVector base_strides(const Value* base);
// Do the variables share some of their elements, but are not the same elements in the same order? Only where both cover
// their part of the base without gaps: more is not looked into, as in PyTorch.
bool overlaps_in_part(Variable& a, Variable& b);
// Can these elements be seen under another shape without a copy?
bool is_viewable_as(Variable& variable, const Shape* shape);

}  // namespace lamina::engine

// Dual numbers: the tangents that values have while a dual level is entered. What is recorded from values with tangents
// gets one at once, beside it on the tape; PyTorch's forward mode, on values that never change.
//
// A tangent belongs to a value, and goes with it, or when the level is left. In-place operations write into the tangent
// that the tensor had, as in PyTorch, so that whoever holds that sees it.
#pragma once

#include <memory>

#include "engine/variable.h"

namespace lamina::engine {

// The tensor of a tangent that somebody has seen; the layer that owns tensors derives from it.
struct TangentTensor {
  virtual ~TangentTensor() = default;
  virtual Variable& variable() = 0;
};

// Emptied when the level is left.
struct Tangent {
  std::uint32_t references = 1;
  Variable own;  // until there is a tensor
  std::unique_ptr<TangentTensor> tensor;

  Tangent();
  ~Tangent();
  Tangent(const Tangent&) = delete;
  Tangent& operator=(const Tangent&) = delete;
  Variable& variable() { return tensor ? tensor->variable() : own; }
};
using TangentPtr = IntrusivePtr<Tangent>;

// There is one level, 0. RuntimeError if it is entered already.
void enter_dual_level();
void leave_dual_level();
bool in_dual_level();

// Whether tangents are followed, a thread's own switch: not within a custom function's forward, nor in inference mode.
bool follow_tangents(bool followed);  // returns what was before
bool follows_tangents();
class FollowTangents {
 public:
  explicit FollowTangents(bool followed) : before_(follow_tangents(followed)) {}
  ~FollowTangents() { follow_tangents(before_); }
  FollowTangents(const FollowTangents&) = delete;
  FollowTangents& operator=(const FollowTangents&) = delete;

 private:
  bool before_;
};
// And is there a level?
bool tangents_followed();

// Null outside of a level.
TangentPtr tangent_of(const Value* value);
void set_tangent(Value* value, TangentPtr tangent);
void drop_tangent(const Value* value);

// A view of `base` with this tangent (null: with none), whatever that of its base is or becomes.
Variable dual_view(Variable& base, TangentPtr tangent);

// `fresh`, whose tangent is null or was recorded, takes the place of `old` in a tensor: old's tangent gets the numbers
// of fresh's (zeros, if that has none), and is fresh's from now on.
void carry_tangent(const ValuePtr& old, const ValuePtr& fresh);
// Its numbers are those of `from`, and so is its tangent.
void copy_tangent(const Value* from, Value* to);

}  // namespace lamina::engine

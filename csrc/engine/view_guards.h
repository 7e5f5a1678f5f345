// Which views must not be changed in place, or have no history after a change of their base: see Guard.
#pragma once

#include "engine/variable.h"

namespace lamina::engine {

inline constexpr unsigned kAnyGuard = kInFunction | kManyOutputs | kInNoGrad | kInInference;
// What happened to a view, for the error's text.
inline constexpr const char* kChanged = "is being modified inplace";
inline constexpr const char* kBaseChanged = "its base or another view of its base has been modified inplace";

bool is_guarded(const Variable& variable, unsigned kinds);
// Raises PyTorch's error for a view that one of `kinds` guards.
void fail_if_guarded(const Variable& variable, const char* event, unsigned kinds);
// Raises it if gradients are recorded through a view that one of `kinds` guards. `tracked`: what it is
// given requires a gradient.
void refuse_guarded(const Variable& variable, const char* event, unsigned kinds, bool tracked = false);

// What a view that is made now is guarded by.
unsigned guard_of_mode();
// Raises PyTorch's error if gradients are recorded through a leaf that requires one, or a view of such a leaf.
void refuse_leaf(const Variable& variable);
// Raises PyTorch's error for a tensor of inference mode that is to be changed outside of it.
void refuse_in_inference(const Value* value);

}  // namespace lamina::engine

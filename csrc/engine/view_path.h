// What the steps from a base to a view say about it. For the files of variable.h only.
#pragma once

#include "engine/variable.h"

namespace lamina::engine {

// The attribute of a detach step through which changes do not count (.data).
const Attribute* untracked();

// The view that one step makes of `base`.
ValuePtr apply(const ViewSpec& spec, const ValuePtr& base);
// The same for a step that is part of a view, with a tangent of its own if it has one.
ValuePtr apply(const ViewPath& step, const ValuePtr& base);

// May the view show an element more than once?
bool is_expanded(const Variable& variable);
// Is there a detach step with this attribute? null: detach(), untracked(): .data.
bool crosses(const Variable& variable, const Attribute* kind);
// The innermost detach step, or null.
const ViewPath* detaching_step(const Variable& variable);
bool is_detached(const Variable& variable);
bool shows_whole_base(const Variable& variable);
// Is there a step with a tangent of its own, that matters now?
bool has_own_tangent(const Variable& variable);

// A leaf stays that leaf, whatever value it goes on to.
void keep_leaf(const ValuePtr& old, const ValuePtr& fresh);
// It stays a tensor of inference mode, or none, whatever changed it.
void keep_mode(const ValuePtr& old, const ValuePtr& fresh);
// Tells those who watch a tensor's gradient which value that is now.
void move_watchers(const ValuePtr& old, const ValuePtr& fresh);

}  // namespace lamina::engine

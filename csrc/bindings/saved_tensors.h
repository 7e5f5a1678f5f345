// Numbers that gradient rules read and that a pair of Python hooks keeps: packed when the operation is recorded,
// unpacked when its gradient is.
#pragma once

#include "bindings/node_state.h"

namespace lamina::bindings {

// Does the node's rule read its operand `place` (or its result: kResultPlace)?
bool saves(const Value* node, std::size_t place);

// Packs everything that `node` saves by this thread's hooks; does nothing if it has none. Raises what `pack` raises,
// and PyTorch's error if that changes its argument in place.
void pack_all_saved(Value* node);
bool packs_saved();

// Adds an entry for everything that `node` saves to this thread's log, if it keeps one: what a recomputation is
// compared with.
void log_all_saved(Value* node);
bool logs_saved();

// What the node saved, with its history; null if no hooks keep it.
ValuePtr unpack_saved(Value* node, std::size_t place);

}  // namespace lamina::bindings

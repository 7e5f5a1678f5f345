// The journal of a shape-only run: tensors that were changed in place get their old values back when it ends.
#pragma once

#include "engine/variable.h"

namespace lamina::engine {

// From begin to end, every assign() and replace() is noted; end() undoes them, the last first. Runs nest.
void begin_journal();
void end_journal();
// While paused, changes are meant to last (a lazy parameter gets its first numbers).
void pause_journal(bool paused);

// Called before a variable changes, and when one is destroyed.
void note_change(Variable& variable);
void forget_variable(const Variable& variable);

}  // namespace lamina::engine

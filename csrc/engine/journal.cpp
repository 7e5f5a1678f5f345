// Undoing in-place operations of a shape-only run.
#include "engine/journal.h"

#include <algorithm>

#include "engine/view_path.h"

namespace lamina::engine {

namespace {

struct Entry {
  Variable* variable;
  Variable before;
  ValuePtr cell_value, history;  // what a detached tensor had of its own
};

std::vector<std::vector<Entry>> g_journals;
int g_paused = 0;

}  // namespace

void pause_journal(bool paused) { g_paused += paused ? 1 : -1; }

void begin_journal() { g_journals.emplace_back(); }

void end_journal() {
  std::vector<Entry> entries = std::move(g_journals.back());
  g_journals.pop_back();
  for (std::size_t i = entries.size(); i-- > 0;) {
    Entry& entry = entries[i];
    if (entry.before.cell) {
      Cell& cell = *entry.before.cell;
      cell.value = entry.cell_value;
      entry.before.seen = ++cell.version;  // other views of the cell derive their values anew
    }
    if (const ViewPath* detached = detaching_step(entry.before)) detached->history = std::move(entry.history);
    if (!entry.variable) continue;
    if (entry.variable->cell && !entry.variable->is_view()) entry.variable->cell->handle = nullptr;
    *entry.variable = std::move(entry.before);
  }
}

void note_change(Variable& variable) {
  if (g_journals.empty() || g_paused > 0) return;
  const ViewPath* detached = detaching_step(variable);
  g_journals.back().push_back(
      {&variable, variable, variable.cell ? variable.cell->value : nullptr, detached ? detached->history : nullptr});
}

void forget_variable(const Variable& variable) {
  for (auto& journal : g_journals)
    for (Entry& entry : journal)
      if (entry.variable == &variable) entry.variable = nullptr;
}

}  // namespace lamina::engine

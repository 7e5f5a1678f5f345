// Rows of the registry: shape-only runs, where everything is recorded on a tape of its own that never runs.
#include <memory>
#include <vector>

#include "bindings/registry.h"
#include "engine/flush.h"
#include "engine/journal.h"
#include "graph/tape.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// While one exists, things are computed for real.
struct Suspension {
  TapeGuard guard{Tape::main()};
  Suspension() { engine::pause_journal(true); }
  ~Suspension() { engine::pause_journal(false); }
};

struct ShapeOnly {
  Tape tape;
  TapeGuard guard{tape};
  std::unique_ptr<Suspension> suspension;
};
std::vector<std::unique_ptr<ShapeOnly>> g_runs;

}  // namespace

LAMINA_FUNCTION(kModule, shape_only_begin, "") {
  engine::flush();
  g_runs.push_back(std::make_unique<ShapeOnly>());
  engine::begin_journal();
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, shape_only_end, "") {
  check(!g_runs.empty(), "shape_only_end without shape_only_begin");
  engine::end_journal();
  g_runs.pop_back();
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, shape_only_active, "") { return PyBool_FromLong(!g_runs.empty()); }
LAMINA_FUNCTION(kModule, shape_only_suspend, "") {
  check(!g_runs.empty() && !g_runs.back()->suspension, "shape_only_suspend outside of a shape-only run");
  g_runs.back()->suspension = std::make_unique<Suspension>();
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, shape_only_resume, "") {
  check(!g_runs.empty() && g_runs.back()->suspension, "shape_only_resume without shape_only_suspend");
  auto ended = std::move(g_runs.back()->suspension);
  engine::flush();
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, shape_only_placeholder, "shape, dtype=None") {
  check(!g_runs.empty(), "shape_only_placeholder without shape_only_begin");
  return wrap(
      make_value(kPlaceholder, {}, Shape::of(a.dims(0)), a.dtype(1).value_or(functions::default_float()), nullptr));
}

}  // namespace lamina::bindings

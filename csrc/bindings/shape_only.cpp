// Shape-only runs: everything is recorded on a tape of its own that never runs.
#include "bindings/shape_only.h"

#include <memory>
#include <vector>

#include "bindings/registry.h"
#include "engine/flush.h"
#include "engine/journal.h"
#include "graph/tape.h"
#include "support/check.h"

namespace py = pybind11;

namespace lamina::bindings {

namespace {

struct ShapeOnly {
  Tape tape;
  TapeGuard guard{tape};
};
std::vector<std::unique_ptr<ShapeOnly>> g_runs;

// Computes for real within a shape-only run: a context manager.
struct Suspension {
  std::unique_ptr<TapeGuard> guard;
};

}  // namespace

void bind_shape_only(py::module_& module) {
  py::class_<Suspension>(module, "shape_only_suspend")
      .def(py::init<>())
      .def("__enter__",
           [](Suspension& self) {
             self.guard = std::make_unique<TapeGuard>(Tape::main());
             engine::pause_journal(true);
           })
      .def("__exit__", [](Suspension& self, const py::args&) {
        if (&Tape::current() == &Tape::main()) engine::flush();
        self.guard.reset();
        engine::pause_journal(false);
      });
}

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
LAMINA_FUNCTION(kModule, shape_only_placeholder, "shape, dtype=None") {
  check(!g_runs.empty(), "shape_only_placeholder without shape_only_begin");
  return wrap(
      make_value(kPlaceholder, {}, Shape::of(a.dims(0)), a.dtype(1).value_or(functions::kDefaultFloat), nullptr));
}

}  // namespace lamina::bindings

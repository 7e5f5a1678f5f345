// Rows of the registry: profiles, for lamina.profiler.
#include <algorithm>
#include <iterator>

#include "bindings/registry.h"
#include "engine/flush.h"
#include "engine/profile.h"
#include "graph/scope.h"
#include "graph/tape.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// A list of what `convert`, which gives new references, makes of each.
template <typename Items, typename Convert>
Object list_of(const Items& items, Convert convert) {
  Object list(checked(PyList_New(0)));
  for (const auto& item : items) {
    Object converted(checked(convert(item)));
    checked(PyList_Append(list.get(), converted.get()));
  }
  return list;
}

PyObject* shape_tuple(const Shape* shape) {
  const auto dims = shape->dims();
  Object tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(dims.size()))));
  for (std::size_t i = 0; i < dims.size(); ++i)
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), checked(PyLong_FromLongLong(dims[i])));
  return tuple.release();
}

const char* name_of(Phase phase) {
  return phase == Phase::kBackward ? "backward" : phase == Phase::kUpdate ? "update" : "forward";
}

PyObject* program_list(const engine::ProfiledProgram& program) {
  const auto member = [&program](const StepAccount::Member& one) {
    const std::uint32_t scope = program.scopes[one.value];
    Object shapes = list_of(one.operands, shape_tuple);
    return Py_BuildValue("IsssdLO", one.value, row(one.op).name, scope_path(scope).c_str(), name_of(phase_of(scope)),
                         static_cast<double>(one.share), static_cast<long long>(one.kept), shapes.get());
  };
  const auto step = [&member](const StepAccount& one) {
    Object members = list_of(one.members, member);
    return Py_BuildValue("sLO", one.note.c_str(), static_cast<long long>(one.bytes), members.get());
  };
  return list_of(program.compiled->account->steps, step).release();
}

PyObject* run_tuple(const engine::ProfiledRun& run) {
  Object steps = list_of(run.steps, [](const runtime::StepTimes::Span& span) {
    return Py_BuildValue("LL", static_cast<long long>(span.began), static_cast<long long>(span.took));
  });
  return Py_BuildValue("IILOLLLLO", run.program, run.thread, static_cast<long long>(run.flush),
                       run.compiles ? Py_True : Py_False, static_cast<long long>(run.began),
                       static_cast<long long>(run.planned), static_cast<long long>(run.accounted),
                       static_cast<long long>(run.ended), steps.get());
}

}  // namespace

LAMINA_FUNCTION(kModule, _profile_start, "") {
  engine::start_profile();
  Py_RETURN_NONE;
}

// Programs, runs, and calls of modules by path: see lamina/profiler/trace.py.
LAMINA_FUNCTION(kModule, _profile_stop, "") {
  const auto profile = engine::stop_profile();
  Object programs = list_of(profile->programs(), program_list), runs = list_of(profile->runs(), run_tuple);
  Object calls(checked(PyDict_New()));
  for (std::size_t path = 0; path < profile->calls().size(); ++path) {
    if (profile->calls()[path] == 0) continue;
    Object count(checked(PyLong_FromLongLong(profile->calls()[path])));
    checked(PyDict_SetItemString(calls.get(), scope_path(static_cast<std::uint32_t>(path)).c_str(), count.get()));
  }
  return Py_BuildValue("OOO", programs.get(), runs.get(), calls.get());
}

// Now: nanoseconds, the thread, and how many programs have been run and values recorded for the next one.
LAMINA_FUNCTION(kModule, _profile_mark, "") {
  return Py_BuildValue("LILn", static_cast<long long>(runtime::StepTimes::now()), engine::thread_number(),
                       static_cast<long long>(engine::flush_count()),
                       static_cast<Py_ssize_t>(Tape::main().recording().values.size()));
}

// The phase of what the thread records from now on, as a number; returns the one that was.
LAMINA_FUNCTION(kModule, _enter_phase, "phase") {
  static constexpr Phase kPhases[] = {Phase::kForward, Phase::kBackward, Phase::kUpdate};
  const Phase before = phase_of(current_scope());
  enter_scope(in_phase(current_scope(), kPhases[a.integer(0)]));
  return PyLong_FromLong(std::find(std::begin(kPhases), std::end(kPhases), before) - std::begin(kPhases));
}

}  // namespace lamina::bindings

// The extension module: a list of what is bound.
#include <pybind11/pybind11.h>
#include <unistd.h>

#include "bindings/autocast.h"
#include "bindings/direct_forward.h"
#include "bindings/generator.h"
#include "bindings/grad_fn.h"
#include "bindings/module_type.h"
#include "bindings/registry.h"
#include "bindings/scalars.h"
#include "engine/running_plans.h"

namespace {

using namespace lamina;
using namespace lamina::bindings;

void* release_interpreter() { return PyEval_SaveThread(); }

// When the interpreter shuts down it ends daemon threads here by unwinding them, without its lock: values must not be
// released then, so the thread waits for the process to end instead (as Python 3.14 does by itself).
void acquire_interpreter(void* state) {
  try {
    PyEval_RestoreThread(static_cast<PyThreadState*>(state));
  } catch (...) {
    for (;;) pause();
  }
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "lamina's compiled core. Private: the public names are in lamina.";
  try {
    bind_scalars(module.ptr());
    bind_formats(module.ptr());
    bind_generator(module.ptr());
    bind_tensor_type(module.ptr());
    bind_grad_fn(module.ptr());
    bind_module_type(module.ptr());
    bind_direct_forward(module.ptr());
    bind_autocast();
    checked(PyModule_AddFunctions(module.ptr(), function_definitions()));
  } catch (const PythonError&) {
    throw pybind11::error_already_set();
  }
  engine::set_lock_hooks({release_interpreter, acquire_interpreter, [] { checked(PyErr_CheckSignals()); }});
}

// The extension module: a list of what is bound.
#include <pybind11/pybind11.h>

#include "bindings/autograd.h"
#include "bindings/generator.h"
#include "bindings/registry.h"
#include "bindings/scalars.h"
#include "bindings/shape_only.h"
#include "engine/flush.h"

namespace {

using namespace lamina;
using namespace lamina::bindings;

void* release_interpreter() { return PyEval_SaveThread(); }
void acquire_interpreter(void* state) { PyEval_RestoreThread(static_cast<PyThreadState*>(state)); }

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "lamina's compiled core. Private: the public names are in lamina.";
  try {
    bind_scalars(module.ptr());
    bind_generator(module.ptr());
    bind_tensor_type(module.ptr());
    bind_autograd(module.ptr());
    bind_shape_only(module);
    checked(PyModule_AddFunctions(module.ptr(), function_definitions()));
  } catch (const PythonError&) {
    throw pybind11::error_already_set();
  }
  engine::set_lock_hooks({release_interpreter, acquire_interpreter});
}

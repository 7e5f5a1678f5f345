// What nn.Module has in C.
#pragma once

#include <Python.h>

namespace lamina::bindings {

// Adds find_attributes_fast(cls), for classes whose __getattr__ is ModuleTree's; make_module_call(namespace), which
// gives the method Module.__call__, from the namespace that has the dicts of the hooks on every module; and
// call_in_row(modules, input), which is Sequential.forward.
void bind_module_type(PyObject* module);

}  // namespace lamina::bindings

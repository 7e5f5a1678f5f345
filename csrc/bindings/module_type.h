// What nn.Module has in C.
#pragma once

#include <Python.h>

namespace lamina::bindings {

// Adds use_fast_slots(cls, attributes), by which Python calls what is here directly, if the class's __call__ is
// Module's, and, with `attributes`, which says that its __getattr__ is ModuleTree's; make_module_call(namespace), which
// gives the method Module.__call__, from the namespace that has the dicts of the hooks on every module; and
// call_in_row(input, modules), which is Sequential.forward.
void bind_module_type(PyObject* module);

}  // namespace lamina::bindings

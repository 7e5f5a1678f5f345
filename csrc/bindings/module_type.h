// What nn.Module has in C.
#pragma once

#include <Python.h>

namespace lamina::bindings {

// Adds find_attributes_fast(cls), for classes whose __getattr__ is ModuleTree's, and make_module_call(pre_hooks,
// hooks): the method Module.__call__, given the dicts of the hooks on every module.
void bind_module_type(PyObject* module);

}  // namespace lamina::bindings

// The Generator type, and the default one's seed and state.
#pragma once

#include "bindings/python.h"
#include "engine/random.h"

namespace lamina::bindings {

void bind_generator(PyObject* module);

// Raises TypeError if the object is not a Generator.
engine::Generator& generator_from(PyObject* object);

}  // namespace lamina::bindings

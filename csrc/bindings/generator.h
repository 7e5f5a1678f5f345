// The Generator type, and the default one's seed and state.
#pragma once

#include <optional>

#include "bindings/python.h"
#include "engine/random.h"

namespace lamina::bindings {

void bind_generator(PyObject* module);

// Raises TypeError if the object is not a Generator.
engine::Generator& generator_from(PyObject* object);

// Is it an integer rather than a sequence?
std::optional<std::int64_t> integer_from_object(PyObject* object);

}  // namespace lamina::bindings

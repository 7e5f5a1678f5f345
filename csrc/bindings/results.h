// What the registry's rows give back, made from a value or from their first argument.
#pragma once

#include "bindings/registry.h"
#include "functions/views.h"

namespace lamina::bindings {

// The first argument itself, as a new reference.
PyObject* self_of(const Arguments& a);
// The first argument seen along `views`; `label` names the grad_fn.
PyObject* view(const Arguments& a, const functions::Views& views, const char* label);

// A fresh value of the shape of `like`, now in this format, or (kPreserve) in that of `like`.
ValuePtr laid(ValuePtr fresh, engine::Variable& like, MemoryFormat format);

// A value that was just made, in the memory format that a layer gives for this input.
ValuePtr laid_like(ValuePtr fresh, engine::Variable& input);

// A new tensor, which requires a gradient if the argument `requires_grad` says so.
PyObject* fresh_tensor(const Arguments& a, ValuePtr value, std::size_t requires_grad);
// The same for functions whose names end in _like: the first argument's order, or the one that is asked for.
PyObject* fresh_tensor_like(const Arguments& a, ValuePtr value, std::size_t requires_grad);

}  // namespace lamina::bindings

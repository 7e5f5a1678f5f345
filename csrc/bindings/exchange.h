// Numbers from and to the outside: Python's nested lists, NumPy arrays and whatever else speaks the buffer protocol.
#pragma once

#include <optional>

#include "bindings/python.h"
#include "engine/variable.h"
#include "graph/value.h"

namespace lamina::bindings {

// A fresh value with the object's numbers: a number, nested sequences, tensors among them, or a buffer. Copies.
ValuePtr value_from_data(PyObject* data, std::optional<DType> dtype);

// A leaf that nobody has written to yet.
ValuePtr fresh_value(const Shape* shape, DType dtype);
// A copy of a buffer's elements: any strides, alignment and byte order.
ValuePtr copy_of_buffer(PyObject* array);
// A value over a buffer's own memory. Raises TypeError for types that lamina does not have, ValueError for memory that
// cannot be shared (negative strides, byte-swapped, unaligned).
ValuePtr value_over_buffer(PyObject* array);
// The object whose buffer it is; null for any other memory. Borrowed.
PyObject* owner_of(const Storage* storage);

// The number of a value with one element. Raises PyTorch's error on meta.
PyObject* number_object(ValuePtr value);
// Computes the variable's numbers and puts them where the outside may read and write them. TypeError where there are
// none, or none that the outside knows.
void prepare_export(engine::Variable& variable);
// What numpy() raises on meta.
[[noreturn]] void fail_meta_array();

// Nested lists of Python numbers.
PyObject* list_from_value(const ValuePtr& value);

}  // namespace lamina::bindings

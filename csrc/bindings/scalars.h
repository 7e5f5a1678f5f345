// Python's small values: dtypes, sizes, numbers.
#pragma once

#include <optional>
#include <string>

#include "bindings/python.h"
#include "functions/operand.h"
#include "graph/shape.h"
#include "ops/memory_order.h"

namespace lamina::bindings {

void bind_scalars(PyObject* module);

// The constants that say how elements lie: every tensor is `strided`, every new one contiguous.
void bind_formats(PyObject* module);
bool is_layout(PyObject* object);
bool is_memory_format(PyObject* object);
PyObject* strided_layout();                         // borrowed
MemoryFormat memory_format_from(PyObject* object);  // of a memory format

PyObject* dtype_object(DType dtype);  // borrowed
// A lamina dtype, or Python's float, int, bool types. Raises for a type that can only be named.
std::optional<DType> dtype_from(PyObject* object);

PyObject* size_object(Dims dims);  // a new lamina.Size
std::string size_text(Dims dims);  // as a Size prints

// A Python or NumPy number; nothing if the object is none.
std::optional<functions::Operand> number_from(PyObject* object);
// An integer, through __index__; nothing if the object is none.
std::optional<std::int64_t> integer_from(PyObject* object);
// A sequence of integers; nothing if the object is none.
std::optional<DimVector> dims_from(PyObject* object);

// The Python number of a realized value's element.
PyObject* element_object(DType dtype, const void* element);

}  // namespace lamina::bindings

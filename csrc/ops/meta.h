// The device meta: values with a shape, a type and strides, but no numbers. What is recorded from them is on no tape.
#pragma once

#include "graph/value.h"

namespace lamina {

// Puts a fresh value, one of whose inputs is on meta, there too. Raises PyTorch's error if another input is not, but
// for single numbers and indices, which may be anywhere.
void put_on_meta(Value* value, std::span<Value* const> inputs);

// The value on that device: to meta go its shape, type and history; out of meta nothing goes, which raises PyTorch's
// error.
ValuePtr to_device(ValuePtr value, Device device);

[[noreturn]] void fail_no_data();
// Raises PyTorch's error if the devices differ.
void check_device(Device expected, Device got);

}  // namespace lamina

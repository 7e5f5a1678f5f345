// What autocast does to a call's arguments.
#pragma once

#include <optional>
#include <vector>

#include "bindings/python.h"
#include "functions/autocast.h"

namespace lamina::bindings {

// What a row of the registry asks for, by its name; nothing if it takes what comes.
std::optional<functions::Precision> precision_of_row(const char* name);

// A call's tensors converted; autocast is off while this lives, so that what the function is composed of takes what it
// gets.
class CastArguments {
 public:
  CastArguments(functions::Precision precision, PyObject* const* arguments, std::size_t count);
  PyObject* const* data() const { return arguments_.data(); }

 private:
  std::vector<PyObject*> arguments_;
  std::vector<Object> kept_;
  std::optional<functions::AutocastOff> off_;
};

// The type of `_casting`'s functions.
void bind_autocast();

}  // namespace lamina::bindings

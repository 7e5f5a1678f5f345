// Autocast: while a thread has it on, some functions convert their operands first. Which, and to what, is said where
// they are bound (bindings/autocast.cpp) or defined (python/lamina/functions/precision.py). Source: "Automatic Mixed
// Precision" in PyTorch's documentation.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "graph/value.h"

namespace lamina::functions {

// What a function asks of its operands: the type that autocast was switched on with; float32; the widest that one of
// them has (`cat` and `stack` do so anyway); or what they have, with autocast off for what it is composed of.
enum class Precision : std::uint8_t { kLow, kFull, kWidest, kOwn };

// How many threads have it on. Changed with the interpreter's lock held; functions ask for it at every call.
extern int g_autocasting_threads;

// This thread's type; nothing while it is off.
std::optional<DType> autocast_dtype();
void set_autocast_dtype(std::optional<DType> dtype);
inline bool autocasts() { return g_autocasting_threads != 0 && autocast_dtype(); }

// The type that these operands of one call (null: no tensor) are converted to, all that `is_cast`. Autocast is on.
DType type_under_autocast(Precision precision, std::span<const ValuePtr> operands);
// Floating-point numbers on the CPU, but for float64.
bool is_cast(const Value& x);

// Off in this thread while it lives.
class AutocastOff {
 public:
  AutocastOff() : before_(autocast_dtype()) { set_autocast_dtype(std::nullopt); }
  AutocastOff(const AutocastOff&) = delete;
  AutocastOff& operator=(const AutocastOff&) = delete;
  ~AutocastOff() { set_autocast_dtype(before_); }

 private:
  std::optional<DType> before_;
};

}  // namespace lamina::functions

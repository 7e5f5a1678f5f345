// Autocast's state, and the types it asks for. Tests: tests/python/test_autocast.py.
#include "functions/autocast.h"

#include "functions/operand.h"

namespace lamina::functions {

int g_autocasting_threads = 0;

namespace {
thread_local std::optional<DType> t_dtype;
}

std::optional<DType> autocast_dtype() { return t_dtype; }

void set_autocast_dtype(std::optional<DType> dtype) {
  g_autocasting_threads += int{dtype.has_value()} - int{t_dtype.has_value()};
  t_dtype = dtype;
}

bool is_cast(const Value& x) {
  return is_floating(x.dtype) && x.dtype != DType::kFloat64 && x.device() == Device::kCpu;
}

DType type_under_autocast(Precision precision, std::span<const ValuePtr> operands) {
  if (precision == Precision::kFull) return DType::kFloat32;
  DType type = *t_dtype;
  if (precision == Precision::kLow) return type;
  for (const ValuePtr& x : operands)
    if (x && is_cast(*x)) type = promote(type, x->dtype);
  return type;
}

}  // namespace lamina::functions

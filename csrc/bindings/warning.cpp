// Warnings that PyTorch gives once in a program.
#include "bindings/warning.h"

#include "ops/record.h"

namespace lamina::bindings {

void warn_once(bool& told, const char* message) {
  if (told) return;
  checked(PyErr_WarnEx(PyExc_UserWarning, message, 1));
  told = true;
}

void warn_of_lost_gradient(const ValuePtr& value) {
  static bool told = false;
  if (told || !value->requires_grad() || !grad_enabled()) return;
  warn_once(told,
            "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using "
            "tensor.detach() first.");
}

}  // namespace lamina::bindings

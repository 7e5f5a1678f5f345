// Padding with what lies within, checked.
#pragma once

#include "functions/operand.h"
#include "support/kernel_ids.h"

namespace lamina::functions {

// widths: before and after the last axis, then the one before it, and so on; one to three axes. Negative ones crop.
// Raises what PyTorch does for widths that do not fit.
ValuePtr extend(const ValuePtr& x, Dims widths, Borders borders);

}  // namespace lamina::functions

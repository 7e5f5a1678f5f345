// Fourier transforms along several axes, one after the other.
#pragma once

#include "graph/shape.h"
#include "ops/build.h"

namespace lamina::functions {

// op: fourier of complex numbers; fourier_half of real ones; fourier_real of half a spectrum. The last of the axes is
// the one of which half is kept. points: of the transforms, one number an axis; what the operand has more is cut off at
// its end, and zeros follow what it has less. An empty list of axes is for complex numbers only.
ValuePtr fourier(Op op, const ValuePtr& x, Dims points, Dims axes, FourierNorm norm, bool inverse);

}  // namespace lamina::functions

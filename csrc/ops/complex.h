// Complex numbers: a type of storage, moved as one element. What computes with them is recorded as ops on their real
// and imaginary parts, so that gradients need no rules of their own: they are d/d(real) + i d/d(imaginary), which is
// PyTorch's convention.
#pragma once

#include <span>

#include "ops/build.h"

namespace lamina {

// Can numbers of a complex type be operands of this op?
bool computes_complex(Op op);

// What `record` records for an op on complex operands, or with a complex result; valid by contract. Of abs the result
// is real, and sign is x / |x|.
ValuePtr record_complex(Op op, std::span<Value* const> inputs, const Shape* shape, DType dtype,
                        const Attribute* attribute);

namespace build {

// The parts of x, of its shape: of a real x itself and 0.
struct Parts {
  ValuePtr real, imaginary;
};
Parts parts(const ValuePtr& x);
// Parts broadcast against each other; of their complex type.
ValuePtr complex(const ValuePtr& real, const ValuePtr& imaginary);
ValuePtr conj(const ValuePtr& x);

}  // namespace build

}  // namespace lamina

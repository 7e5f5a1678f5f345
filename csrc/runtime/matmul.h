// Matrix products over threads: splits a product into panels for the kernels and lends them their workspace.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/table.h"
#include "support/dtype.h"

namespace lamina::runtime {

// Runs args (workspace ignored) for every batch entry: a, b and c are moved by the entry's offsets, in elements.
// One entry with offset 0 is a plain product. dtype is float32, float64, int32 or int64.
void matmul(DType dtype, const kernels::MatmulArgs& args, std::span<const std::ptrdiff_t> a_offsets,
            std::span<const std::ptrdiff_t> b_offsets, std::span<const std::ptrdiff_t> c_offsets);

// A plain product on the calling thread.
void matmul_alone(DType dtype, kernels::MatmulArgs args);

}  // namespace lamina::runtime

// Walking strided memory in row-major order of an iteration space.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plan/plan.h"

namespace lamina::runtime {

// Copies elements [start, start + count) of the space, read at base + coordinates · strides, to contiguous `out`.
void gather_range(std::byte* out, const std::byte* base, const DimVector& dims, const DimVector& strides,
                  std::size_t element_size, std::int64_t start, std::int64_t count);

// Copies contiguous `in` to these elements.
void scatter_range(std::byte* base, const std::byte* in, const DimVector& dims, const DimVector& strides,
                   std::size_t element_size, std::int64_t start, std::int64_t count);

// Where row `row` of the space begins, in elements; rows run along the last axis.
std::int64_t row_offset(const DimVector& dims, const DimVector& strides, std::int64_t row);

// n elements of a row, `stride` elements apart, to contiguous `out`.
void load_row(std::byte* out, const std::byte* in, std::size_t element_size, std::int64_t n, std::int64_t stride);

// Writes one element n times.
void fill(std::byte* out, const std::byte* element, std::size_t element_size, std::int64_t n);

}  // namespace lamina::runtime

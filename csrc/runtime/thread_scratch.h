// Memory for what a kernel or a step needs while it runs.
#pragma once

#include <cstddef>

namespace lamina::runtime {

// At least `bytes` of 64-byte aligned scratch that belongs to the calling thread until its next call. Throws
// std::bad_alloc.
void* thread_scratch(std::size_t bytes);

}  // namespace lamina::runtime

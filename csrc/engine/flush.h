// Running what has been recorded.
#pragma once

#include <cstdint>
#include <string>

#include "graph/value.h"

namespace lamina::engine {

// Compiles (or finds) the plan of everything pending on the current tape and runs it. Afterwards every value that
// someone looks at has its numbers. If memory is short, raises std::bad_alloc and leaves everything pending, or, if it
// ran out in the midst, to the next look (plan_run.h).
void flush();

// flush() if a budget of pending work is used up, or something pending reads memory that the outside can write to.
// To be called before control returns to the user.
void flush_if_due();

// The value's numbers can be read when this returns; flushes if it is pending. Raises in a shape-only run.
void realize(Value* value);

// The bytes of a realized value's first element.
std::byte* data_of(const Value* value);

// What the current tape would run, without running it: the steps and why they are not fewer. describe: and the program
// after each pass.
std::string explain_pending();
std::string describe_pending();

// All of a flush that comes before memory: looks the plan up, or compiles it without the cache. For benchmarks.
void find_pending_plan(bool anew);

std::int64_t flush_count();

}  // namespace lamina::engine

// Module paths: which nested module is running, so that values, errors and profiles can name it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lamina {

// Scopes form a tree of names; 0 is the root (no module). A path is made once and never freed.
std::uint32_t current_scope();
// The scope `name` below `parent`.
std::uint32_t scope_below(std::uint32_t parent, std::string_view name);
// Makes `scope` this thread's; returns the one that was, for leave_scope.
std::uint32_t enter_scope(std::uint32_t scope);
inline std::uint32_t enter_scope(std::string_view name) { return enter_scope(scope_below(current_scope(), name)); }
void leave_scope(std::uint32_t previous);

// "net.1.linear"; empty for the root.
std::string scope_path(std::uint32_t scope);

}  // namespace lamina

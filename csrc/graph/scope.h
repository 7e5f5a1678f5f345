// Module paths: which nested module is running, so that values, errors and profiles can name it. And the phase: whether
// it is running forward, or its gradients or updates are being recorded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lamina {

// The highest bits of a scope.
enum class Phase : std::uint32_t { kForward = 0, kBackward = 1u << 30, kUpdate = 2u << 30 };
inline constexpr std::uint32_t kPathBits = (1u << 30) - 1;

inline std::uint32_t path_of(std::uint32_t scope) { return scope & kPathBits; }
inline Phase phase_of(std::uint32_t scope) { return Phase{scope & ~kPathBits}; }
inline std::uint32_t in_phase(std::uint32_t scope, Phase phase) {
  return path_of(scope) | static_cast<std::uint32_t>(phase);
}

// Scopes form a tree of names; 0 is the root (no module). A path is made once and never freed.
extern constinit __attribute__((tls_model("initial-exec"))) thread_local std::uint32_t t_scope;  // every op reads it
inline std::uint32_t current_scope() { return t_scope; }
// The scope `name` below `parent`, in its phase.
std::uint32_t scope_below(std::uint32_t parent, std::string_view name);
// Makes `scope` this thread's; returns the one that was, for leave_scope.
inline std::uint32_t enter_scope(std::uint32_t scope) { return std::exchange(t_scope, scope); }
inline std::uint32_t enter_scope(std::string_view name) { return enter_scope(scope_below(current_scope(), name)); }
inline void leave_scope(std::uint32_t previous) { t_scope = previous; }

// "net.1.linear"; empty for the root.
std::string scope_path(std::uint32_t scope);

// Enters a scope for as long as the object lives.
class ScopeGuard {
 public:
  explicit ScopeGuard(std::uint32_t scope) : outer_(enter_scope(scope)) {}
  ~ScopeGuard() { leave_scope(outer_); }
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  std::uint32_t outer_;
};

// How often modules were called, by path; null while nobody counts.
inline std::vector<std::int64_t>* g_calls = nullptr;
void count_call(std::uint32_t scope);

}  // namespace lamina

// The tree of module paths.
#include "graph/scope.h"

#include <map>
#include <utility>
#include <vector>

namespace lamina {

namespace {

struct Node {
  std::uint32_t parent;
  std::string name;
  std::map<std::string, std::uint32_t, std::less<>> children;
};

std::vector<Node>& nodes() {
  static auto* all = new std::vector<Node>(1);
  return *all;
}

// As in record.cpp: every op reads it.
__attribute__((tls_model("initial-exec"))) thread_local std::uint32_t t_scope = 0;

}  // namespace

std::uint32_t current_scope() { return t_scope; }

std::uint32_t scope_below(std::uint32_t parent, std::string_view name) {
  auto& all = nodes();
  auto found = all[parent].children.find(name);
  if (found != all[parent].children.end()) return found->second;
  auto fresh = static_cast<std::uint32_t>(all.size());
  all[parent].children.emplace(std::string(name), fresh);
  all.push_back({parent, std::string(name), {}});
  return fresh;
}

std::uint32_t enter_scope(std::uint32_t scope) { return std::exchange(t_scope, scope); }

void leave_scope(std::uint32_t previous) { t_scope = previous; }

std::string scope_path(std::uint32_t scope) {
  std::string path;
  for (; scope != 0; scope = nodes()[scope].parent)
    path = path.empty() ? nodes()[scope].name : nodes()[scope].name + "." + path;
  return path;
}

}  // namespace lamina

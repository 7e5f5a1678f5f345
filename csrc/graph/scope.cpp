// The tree of module paths.
#include "graph/scope.h"

#include <map>
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

}  // namespace

constinit thread_local std::uint32_t t_scope = 0;

std::uint32_t scope_below(std::uint32_t parent, std::string_view name) {
  auto& all = nodes();
  const Phase phase = phase_of(parent);
  parent = path_of(parent);
  auto found = all[parent].children.find(name);
  if (found != all[parent].children.end()) return in_phase(found->second, phase);
  auto fresh = static_cast<std::uint32_t>(all.size());
  all[parent].children.emplace(std::string(name), fresh);
  all.push_back({parent, std::string(name), {}});
  return in_phase(fresh, phase);
}

std::string scope_path(std::uint32_t scope) {
  std::string path;
  for (scope = path_of(scope); scope != 0; scope = nodes()[scope].parent)
    path = path.empty() ? nodes()[scope].name : nodes()[scope].name + "." + path;
  return path;
}

void count_call(std::uint32_t scope) {
  if (g_calls->size() <= path_of(scope)) g_calls->resize(path_of(scope) + 1);
  ++(*g_calls)[path_of(scope)];
}

}  // namespace lamina

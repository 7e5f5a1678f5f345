// Following tangents while values are recorded.
#include "engine/tangents.h"

#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "autograd/gradients.h"
#include "engine/journal.h"
#include "engine/view_path.h"
#include "ops/build.h"
#include "ops/record.h"
#include "support/check.h"

namespace lamina::engine {

namespace {

bool g_entered = false;
thread_local bool t_followed = true;

// By value; and all that there are, to be emptied together.
std::unordered_map<const Value*, TangentPtr>& table() {
  static auto* all = new std::unordered_map<const Value*, TangentPtr>;
  return *all;
}
std::unordered_set<Tangent*>& living() {
  static auto* all = new std::unordered_set<Tangent*>;
  return *all;
}

TangentPtr fresh_tangent(ValuePtr numbers) {
  auto tangent = TangentPtr::adopt(new Tangent);
  tangent->own = Variable(std::move(numbers));
  return tangent;
}

ValuePtr numbers_of(const Value* value) {
  TangentPtr tangent = tangent_of(value);
  return tangent ? current(tangent->variable()) : nullptr;
}

// A view of numbers that exist has let go of its operand.
ValuePtr with_operands(Value* value, std::span<Value* const> inputs) {
  if (value->input_count > 0 && value->inputs[0]) return ValuePtr(value);
  return make_value(value->op, inputs, value->shape, value->dtype, value->attribute);
}

void follow(Value* value, std::span<Value* const> inputs) {
  if (!tangents_followed() || !is_differentiable(value->dtype) || tangent_of(value)) return;
  // Numbers without a history, or with that of others, are the same numbers.
  if (op_of(value) == Op::detach || op_of(value) == Op::rebase) return copy_tangent(inputs[0], value);
  std::vector<ValuePtr> tangents;
  bool any = false;
  for (const Value* input : inputs) {
    tangents.push_back(numbers_of(input));
    any |= static_cast<bool>(tangents.back());
  }
  if (!any) return;
  FollowTangents off(false);
  if (ValuePtr found = pushforward(with_operands(value, inputs).get(), tangents))
    set_tangent(value, fresh_tangent(std::move(found)));
}

}  // namespace

void retain(Tangent* tangent) { ++tangent->references; }
void release(Tangent* tangent) {
  if (--tangent->references == 0) delete tangent;
}

Tangent::Tangent() { living().insert(this); }
Tangent::~Tangent() {
  forget_variable(own);
  living().erase(this);
}

void enter_dual_level() {
  check(!g_entered,
        "Nested forward mode AD is not supported at the moment (but may be in the future): leave the dual level first");
  g_entered = true;
  set_dual_observer(drop_tangent);
  set_dual_recorder(follow);
}

void leave_dual_level() {
  g_entered = false;
  set_dual_recorder(nullptr);
  auto values = std::exchange(table(), {});
  std::vector<TangentPtr> tangents;
  for (Tangent* tangent : living()) tangents.emplace_back(tangent);
  for (const TangentPtr& tangent : tangents) {
    tangent->own = Variable();
    auto gone = std::move(tangent->tensor);
  }
}

bool in_dual_level() { return g_entered; }

bool follow_tangents(bool followed) { return std::exchange(t_followed, followed); }
bool follows_tangents() { return t_followed && !inference_mode(); }
bool tangents_followed() { return g_entered && follows_tangents(); }

TangentPtr tangent_of(const Value* value) {
  if (!value->has(kDual) || !g_entered) return nullptr;
  auto found = table().find(value);
  return found == table().end() ? nullptr : found->second;
}

void set_tangent(Value* value, TangentPtr tangent) {
  value->flags |= kDual;
  table().insert_or_assign(value, std::move(tangent));
}

void drop_tangent(const Value* value) { auto gone = table().extract(value); }

Variable dual_view(Variable& base, TangentPtr tangent) {
  Variable view;
  {
    FollowTangents off(false);
    view = view_of(base, {{Op::reshape, current(base)->shape}});
  }
  view.path->has_own_tangent = true;
  view.path->tangent = tangent;
  if (tangent) set_tangent(view.value.get(), std::move(tangent));
  return view;
}

void copy_tangent(const Value* from, Value* to) {
  if (from == to || !tangents_followed()) return;
  if (ValuePtr numbers = numbers_of(from)) set_tangent(to, fresh_tangent(std::move(numbers)));
}

}  // namespace lamina::engine

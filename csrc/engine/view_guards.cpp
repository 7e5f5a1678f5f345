// The errors of views that must not be changed in place while gradients are recorded.
#include "engine/view_guards.h"

#include <string>

#include "autograd/gradients.h"
#include "engine/view_path.h"
#include "ops/record.h"
#include "support/check.h"

namespace lamina::engine {

namespace {

std::string without_ending(const std::string& name) {
  std::size_t end = name.find("Backward");
  return end == std::string::npos || end == 0 ? name : name.substr(0, end);
}

// own: the guard is the view's, not that of one on the way to it.
[[noreturn]] void fail_guarded(const Variable& variable, unsigned guard, bool own, const char* event) {
  const Value* value = variable.value.get();
  bool inference = (guard & kInInference) != 0, by_mode = (guard & (kInNoGrad | kInInference)) != 0;
  const Value* function = function_of(value);
  std::string output = text("Output ", function ? (*value->attribute)[0] : 0, " of ",
                            without_ending(grad_fn_name(function ? function : value)));
  std::string mode = inference ? "inference mode" : "no_grad mode";
  std::string subject = !by_mode ? output + " is a view"
                        : own    ? "A view was created in " + mode
                                 : output + " is a view of a view which was created in " + mode;
  std::string when = !by_mode ? "" : inference ? " in normal mode" : " with grad mode enabled";
  std::string block = inference ? "inference_mode" : "no_grad";
  std::string why =
      (guard & kManyOutputs) != 0
          ? "This view is the output of a function that returns multiple views. Such functions do not allow the output "
            "views to be modified inplace. You should replace the inplace operation by an out-of-place one."
      : (guard & kInFunction) != 0
          ? "This view was created inside a custom Function (or because an input was returned as-is) and the autograd "
            "logic to handle view+inplace would override the custom backward associated with the custom Function, "
            "leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the "
            "custom Function."
          : "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by "
            "moving "
            "both the view and the inplace either both inside the " +
                block +
                " block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be "
                "tracked).";
  fail(ErrorKind::kRuntime, subject, " and ", event, when, ". ", why);
}

// The innermost of the steps since the last detach() that one of `kinds` guards, or null.
const ViewPath* guarded_step(const Variable& variable, unsigned kinds) {
  for (const ViewPath* path = variable.path.get(); path && path->spec.op != Op::detach; path = path->base.get())
    if ((path->spec.guard & kinds) != 0) return path;
  return nullptr;
}

// Is it a view of a view that was told to require a gradient? The base of both does not say so.
bool is_view_of_leaf(const Variable& variable) {
  const Value* value = variable.value.get();
  for (const ViewPath* path = variable.path.get(); path && path->spec.op != Op::detach; path = path->base.get()) {
    if (op_of(value) == path->spec.op && value->input_count) value = value->inputs[0];
    if (value->leaf) return true;
  }
  return false;
}

}  // namespace

bool is_guarded(const Variable& variable, unsigned kinds) { return guarded_step(variable, kinds) != nullptr; }
void fail_if_guarded(const Variable& variable, const char* event, unsigned kinds) {
  if (const ViewPath* step = guarded_step(variable, kinds))
    fail_guarded(variable, step->spec.guard, step == variable.path.get(), event);
}
void refuse_guarded(const Variable& variable, const char* event, unsigned kinds, bool tracked) {
  if (!grad_enabled() || !variable.is_view()) return;
  if (!tracked && !variable.value->requires_grad() && !variable.cell->value->requires_grad()) return;
  fail_if_guarded(variable, event, kinds);
}

void refuse_leaf(const Variable& variable) {
  if (!grad_enabled()) return;
  bool leaf = variable.value->leaf, own = !variable.is_shown_as_view();
  check(!leaf || !own, "a leaf Variable that requires grad is being used in an in-place operation.");
  const auto is_leaf_to = [](const Cell& base, const Value* view) {
    return base.value->leaf || (base.lost_history && view->requires_grad() && !base.value->requires_grad());
  };
  bool of_base = variable.is_view() && !is_detached(variable) && is_leaf_to(*variable.cell, variable.value.get());
  check(!leaf && !of_base && !is_view_of_leaf(variable),
        "a view of a leaf Variable that requires grad is being used in an in-place operation.");
}
void refuse_in_inference(const Value* value) {
  check(!value->has(kInferenceMade) || inference_mode(),
        "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a normal "
        "tensor before doing inplace update. See https://github.com/pytorch/rfcs/pull/17 for more details.");
}

unsigned guard_of_mode() {
  if (inference_mode()) return kInInference;
  return grad_enabled() ? 0 : kInNoGrad;
}

void guard_function_view(Variable& view) {
  if (view.is_view()) view.path->spec.guard = kInFunction;
}

void check_history(const Variable& view) {
  if (view.is_view() && view.changes != view.cell->changes && view.cell->value->requires_grad())
    fail_if_guarded(view, kBaseChanged, kAnyGuard);
}

}  // namespace lamina::engine

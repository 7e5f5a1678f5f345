// Reading numbers in a gradient rule.
#include "ops/gradient.h"

#include "graph/scope.h"
#include "support/check.h"

namespace lamina {

namespace {

// Were the numbers that `node` used changed since? A view's numbers are its base's.
bool overwritten(const Value* value, const Value* node) {
  for (;; value = value->inputs[0]) {
    if (value->has(kOverwritten) && node->sequence <= value->overwritten_at) return true;
    if (!is_view(value) || !value->inputs[0]) return false;
  }
}

ValuePtr checked(Value* value, const Value* node) {
  if (overwritten(value, node)) [[unlikely]] {
    std::string path = scope_path(node->scope);
    fail(ErrorKind::kRuntime,
         "one of the variables needed for gradient computation has been modified by an inplace operation: a tensor of "
         "shape ",
         to_string(value->shape->dims(), '[', ']'), ", which ", grad_fn_name(node),
         path.empty() ? "" : " (in " + path + ")",
         " reads, was changed after it was used. Use the out-of-place form of that operation, or clone() first.");
  }
  return ValuePtr(value);
}

}  // namespace

ValuePtr Gradient::read(std::size_t operand) const {
  const OpRow& entry = row(node_->op);
  std::uint8_t bit = static_cast<std::uint8_t>(1u << operand);
  if (!((entry.reads[0] | entry.reads[1] | entry.reads[2]) & bit))
    throw std::logic_error(text("gradient of ", entry.name, " reads operand ", operand, ", its row does not say so"));
  if (saved_)
    if (ValuePtr kept = saved_->saved(node_, operand)) return kept;
  return checked(node_->inputs[operand], node_);
}

ValuePtr Gradient::r() const {
  const OpRow& entry = row(node_->op);
  if (!((entry.reads[0] | entry.reads[1] | entry.reads[2]) & kReadsResult))
    throw std::logic_error(text("gradient of ", entry.name, " reads its result, its row does not say so"));
  if (saved_)
    if (ValuePtr kept = saved_->saved(node_, kResultPlace)) return kept;
  return checked(node_, node_);
}

}  // namespace lamina

// Forward mode on the op table: an op's derivative along a direction, from its gradient rule.
#include "autograd/gradients.h"

namespace lamina {

ValuePtr pushforward(Value* node, std::span<const ValuePtr> tangents) {
  const OpRow& entry = row(node->op);
  if (!entry.gradient || !is_differentiable(node->dtype)) return nullptr;
  ValuePtr cotangent = build::detach(build::full(node->shape, 0, node->dtype, node->device()));
  attach_leaf(cotangent.get(), LeafPtr::adopt(new LeafState));
  cotangent->flags |= kRequiresGrad;
  std::vector<ValuePtr> back(node->input_count);
  {
    GradMode mode(true);
    Gradient rule(node, cotangent, back, nullptr, kDual);
    entry.gradient(rule);
  }
  std::vector<ValuePtr> seeds(tangents.begin(), tangents.end());
  for (std::size_t i = 0; i < back.size(); ++i)
    if (!back[i] || !back[i]->requires_grad()) seeds[i] = nullptr;
  ValuePtr tangent = gradient_of(cotangent, back, seeds);
  return tangent ? tangent : build::full(node->shape, 0, node->dtype, node->device());
}

}  // namespace lamina

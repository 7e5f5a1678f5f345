// Forward mode on the op table: an op's derivative along a direction, from its gradient rule.
#include "autograd/gradients.h"

namespace lamina {

namespace {

struct Unobserved : GradientObserver {
  void leaf(Value*, ValuePtr) override {}
  ValuePtr hooked(Value*, ValuePtr gradient) override { return gradient; }
};

}  // namespace

ValuePtr pushforward(Value* node, std::span<const ValuePtr> tangents) {
  const OpRow& entry = row(node->op);
  if (!entry.gradient || !is_floating(node->dtype)) return nullptr;
  ValuePtr cotangent = build::detach(build::full(node->shape, 0, node->dtype));
  attach_leaf(cotangent.get(), LeafPtr::adopt(new LeafState));
  cotangent->flags |= kRequiresGrad;
  std::vector<ValuePtr> back(node->input_count);
  {
    GradMode mode(true);
    Gradient rule(node, cotangent, back, nullptr, kDual);
    entry.gradient(rule);
  }
  std::vector<Value*> roots;
  std::vector<ValuePtr> seeds;
  for (std::size_t i = 0; i < back.size(); ++i) {
    if (!back[i] || !tangents[i] || !back[i]->requires_grad()) continue;
    roots.push_back(back[i].get());
    seeds.push_back(tangents[i]);
  }
  Value* input = cotangent.get();
  GradientOptions options;
  options.retain_graph = true;
  options.create_graph = grad_enabled();
  options.inputs = {&input, 1};
  options.cut_at_inputs = true;
  Unobserved observer;
  ValuePtr tangent;
  if (!roots.empty()) tangent = gradients(roots, seeds, options, observer)[0];
  return tangent ? tangent : build::full(node->shape, 0, node->dtype);
}

}  // namespace lamina

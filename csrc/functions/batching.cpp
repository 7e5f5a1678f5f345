// The walk over what was recorded for one example, in order of creation.
#include "functions/batching.h"

#include <algorithm>
#include <unordered_map>

#include "autograd/gradients.h"
#include "engine/examples.h"
#include "functions/batching_rules.h"
#include "support/check.h"

namespace lamina::functions {

namespace {

class Batching {
 public:
  explicit Batching(std::int64_t size) : size_(size) {}

  void know(const Value* example, const ValuePtr& batch) { batches_[example] = batch; }
  ValuePtr batch_of(const Value* value) const {
    auto found = batches_.find(value);
    return found == batches_.end() ? nullptr : found->second;
  }

  // Records everything that `outputs` come from, as far as it is per example and younger than the examples.
  void record_all(std::span<const ValuePtr> outputs, std::uint64_t start) {
    std::vector<Value*> order, pending;
    std::unordered_map<const Value*, bool> seen;
    auto visit = [&](Value* value) {
      if (!value || !value->has(kPerExample) || value->sequence <= start || batches_.count(value)) return;
      if (!seen.try_emplace(value, true).second) return;
      order.push_back(value);
      pending.push_back(value);
    };
    for (const ValuePtr& output : outputs) visit(output.get());
    while (!pending.empty()) {
      Value* value = pending.back();
      pending.pop_back();
      for (Value* operand : value->operands())
        if (!(operand->op == kFunction && has_history(value->operands()[0]))) visit(operand);
    }
    std::sort(order.begin(), order.end(), [](const Value* a, const Value* b) { return a->sequence < b->sequence; });
    for (Value* value : order) record_one(value);
  }

 private:
  // Whether a function's result `numbers` was computed for the batch, with gradients by the batch (batching.py).
  bool has_history(const Value* numbers) const {
    const ValuePtr batch = numbers->op == kPlaceholder ? batch_of(numbers) : nullptr;
    return batch && batch->requires_grad();
  }

  void record_one(Value* value) {
    if (ValuePtr drawn = engine::drawn_for_batch(value, with_batch(size_, value->shape))) {
      batches_[value] = std::move(drawn);
      return;
    }
    Example example{value, {}, size_};
    bool depends = false;
    for (Value* operand : value->operands()) {
      ValuePtr batch = batch_of(operand);
      depends |= static_cast<bool>(batch);
      example.operands.push_back({batch ? batch : ValuePtr(operand), static_cast<bool>(batch), operand->shape});
    }
    if (!depends) return;  // of an outer level only
    GradMode mode(value->requires_grad());
    if (value->op == kFunction) {
      for (Example::Operand& operand : example.operands)
        check(!operand.value->requires_grad(),
              "vmap: there is no rule by which the gradient of an autograd.Function could be recorded for a batch");
      return;
    }
    if (op_of(value) == Op::rebase) {
      ValuePtr numbers = example.spread(0);
      ValuePtr history = value->operands()[1]->op == kFunction ? nullptr : example.spread(1);
      batches_[value] = history && history->requires_grad() ? build::rebase(numbers, history) : numbers;
      return;
    }
    ValuePtr batch = record_batch(example);
    if (!batch->label) batch->label = value->label;
    batches_[value] = std::move(batch);
  }

  std::int64_t size_;
  std::unordered_map<const Value*, ValuePtr> batches_;
};

}  // namespace

ValuePtr example_of(const ValuePtr& batch) {
  const Shape* shape = Shape::of(batch->shape->dims().subspan(1));
  ValuePtr example = make_value(kPlaceholder, {}, shape, batch->dtype, nullptr);
  example->flags |= kPerExample;
  if (batch->requires_grad()) example->flags |= kRequiresGrad;
  return example;
}

std::vector<ValuePtr> batched(std::span<const ValuePtr> outputs, std::span<const ValuePtr> examples,
                              std::span<const ValuePtr> batches) {
  std::uint64_t start = current_sequence();
  Batching batching((*batches[0]->shape)[0]);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    batching.know(examples[i].get(), batches[i]);
    start = std::min(start, examples[i]->sequence);
  }
  batching.record_all(outputs, start - 1);
  std::vector<ValuePtr> results;
  for (const ValuePtr& output : outputs) results.push_back(batching.batch_of(output.get()));
  return results;
}

}  // namespace lamina::functions

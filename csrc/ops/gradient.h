// What a gradient rule sees: the cotangent of one value, the numbers its row says it reads, and where to put the
// result.
#pragma once

#include <utility>

#include "ops/build.h"

namespace lamina {

// Who may keep numbers that a rule reads elsewhere than in their value.
class SavedNumbers {
 public:
  virtual ~SavedNumbers() = default;
  // The node's operand `place` (its result: kResultPlace) with its history, or null: they are where they were.
  virtual ValuePtr saved(Value*, std::size_t /*place*/) { return nullptr; }
};

class Gradient {
 public:
  // node: the value differentiated; cotangent: d(root)/d(node), of node's shape. results: one slot an operand.
  // saved: asked for what the rule reads, if not null. wanted: the flag of operands that are to get a gradient.
  // part: if not null, a slice's rule leaves its cotangent as it is, and here, of which part of the operand it is.
  Gradient(Value* node, ValuePtr cotangent, std::span<ValuePtr> results, SavedNumbers* saved = nullptr,
           ValueFlags wanted = kRequiresGrad, const Attribute** part = nullptr)
      : node_(node), cotangent_(std::move(cotangent)), results_(results), saved_(saved), wanted_(wanted), part_(part) {}

  const ValuePtr& g() const { return cotangent_; }
  // Numbers; the row must list the read. Raise PyTorch's error if they were changed in place since.
  ValuePtr x() const { return read(0); }
  ValuePtr y() const { return read(1); }
  ValuePtr z() const { return read(2); }
  ValuePtr r() const;

  const Shape* shape(std::size_t operand) const { return node_->inputs[operand]->shape; }
  DType dtype(std::size_t operand) const { return node_->inputs[operand]->dtype; }
  const Attribute& attribute() const { return *node_->attribute; }
  Value* node() const { return node_; }

  bool wants(std::size_t operand) const { return node_->inputs[operand]->has(wanted_); }
  // Calls `make` only if the operand wants a gradient; broadcasting's adjoint is applied here and nowhere else.
  template <typename Make>
  void give(std::size_t operand, Make&& make) {
    if (wants(operand)) results_[operand] = build::sum_to(make(), shape(operand));
  }
  // The cotangent, where the slice lies in its operand, and 0 elsewhere.
  void give_slice();

 private:
  ValuePtr read(std::size_t operand) const;

  Value* node_;
  ValuePtr cotangent_;
  std::span<ValuePtr> results_;
  SavedNumbers* saved_;
  ValueFlags wanted_;
  const Attribute** part_;
};

namespace gradient {
#define LAMINA_UNARY(name, ...) void name(Gradient& d);
#define LAMINA_BINARY(name, ...) void name(Gradient& d);
#define LAMINA_OP(name, ...) void name(Gradient& d);
#include "ops/op_list.inc"
void zero(Gradient& d);  // of what is piecewise constant
}  // namespace gradient

}  // namespace lamina

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

// A gradient that is 0 but for some of its elements, and which those are.
struct GradientPart {
  ValuePtr numbers;
  const Attribute* place;  // of a slice: its starts and steps
  ValuePtr rows;           // or else the numbers of rows, to which those of `numbers` are added
};

class Gradient {
 public:
  // node: the value differentiated; cotangent: d(root)/d(node), of node's shape. results: one slot an operand.
  // saved: asked for what the rule reads, if not null. wanted: the flag of operands that are to get a gradient.
  // part: if not null, a rule that gives a part of the first operand's gradient may leave it here instead.
  Gradient(Value* node, ValuePtr cotangent, std::span<ValuePtr> results, SavedNumbers* saved = nullptr,
           ValueFlags wanted = kRequiresGrad, GradientPart* part = nullptr)
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
  // The cotangent at this place (or these rows) of the first operand, where that is 0 elsewhere, if parts are taken.
  template <typename Make>
  bool give_part(Make&& make) {
    if (!part_ || !wants(0)) return false;
    *part_ = make();
    return true;
  }

 private:
  ValuePtr read(std::size_t operand) const;

  Value* node_;
  ValuePtr cotangent_;
  std::span<ValuePtr> results_;
  SavedNumbers* saved_;
  ValueFlags wanted_;
  GradientPart* part_;
};

namespace gradient {
#define LAMINA_UNARY(name, ...) void name(Gradient& d);
#define LAMINA_BINARY(name, ...) void name(Gradient& d);
#define LAMINA_OP(name, ...) void name(Gradient& d);
#include "ops/op_list.inc"
void zero(Gradient& d);  // of what is piecewise constant
}  // namespace gradient

}  // namespace lamina

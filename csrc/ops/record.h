// Recording one op: makes the value, decides whether it requires a gradient, and appends it to the tape.
#pragma once

#include <initializer_list>
#include <span>
#include <string>

#include "graph/value.h"
#include "ops/table.h"

namespace lamina {

// What a trace says of an op beyond its kind: which of its scalar operands are 0 or 1, by which programs are
// simplified. All other numbers are unknown to it, so that they may change from one run of a plan to the next.
enum Facts : std::uint8_t { kFirstIsOne = 1, kSecondIsOne = 2, kSecondIsZero = 4, kAllOnes = 8 };

// Inputs are valid by contract (the builders and public functions have checked them). What computes with a narrow type
// becomes three ops: to the wide type, the op, and back; with complex numbers, ops on their parts
// (ops/complex.h). Views of values that have numbers already are made at once; everything else becomes pending.
ValuePtr record(Op op, std::span<Value* const> inputs, const Shape* shape, DType dtype,
                const Attribute* attribute = nullptr);
inline ValuePtr record(Op op, std::initializer_list<Value*> inputs, const Shape* shape, DType dtype,
                       const Attribute* attribute = nullptr) {
  return record(op, std::span<Value* const>(inputs.begin(), inputs.size()), shape, dtype, attribute);
}

// Gradient recording, a thread's own switch.
bool grad_enabled();
void set_grad_enabled(bool enabled);
bool inference_mode();
void set_inference_mode(bool enabled);

class GradMode {
 public:
  explicit GradMode(bool enabled) : previous_(grad_enabled()) { set_grad_enabled(enabled); }
  ~GradMode() { set_grad_enabled(previous_); }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool previous_;
};

// Names `value`'s grad_fn after the public function that composed it: "Mean" prints MeanBackward0. The text must
// live as long as the process. A suffix stands behind an @: "Max@1" prints MaxBackward1.
void set_label(Value* value, const char* label);
// "MeanBackward0"; for a leaf that requires a gradient "AccumulateGrad".
std::string grad_fn_name(const Value* value);

// Called for everything recorded from now on that requires a gradient (null: nobody), for diagnoses.
void set_record_observer(void (*observer)(Value*));
// Called with what was recorded and its operands, which views may let go of, if one of these has kDual.
void set_dual_recorder(void (*recorder)(Value*, std::span<Value* const>));

// True once something pending read an exposed storage: the tape must be run before control returns to the user.
bool take_run_at_once();

}  // namespace lamina

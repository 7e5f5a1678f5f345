// Value: a node of the recorded program and of the gradient graph in one. Immutable once recorded, reference-counted.
//
// All counts are plain integers: values are touched only with the interpreter's lock held.
#pragma once

#include <cstdint>
#include <span>

#include "graph/shape.h"
#include "support/device.h"
#include "support/dtype.h"
#include "support/intrusive_ptr.h"
#include "support/storage.h"

namespace lamina {

struct Value;
inline void retain(Value* value);
inline void release(Value* value);
using ValuePtr = IntrusivePtr<Value>;

// Which op made a value; the op table (a layer up) gives the numbers from kFirstOp on their meaning.
using OpId = std::uint16_t;
inline constexpr OpId kLeaf = 0;         // numbers in a storage
inline constexpr OpId kScalar = 1;       // a Python number: an input of the program, never baked into a plan
inline constexpr OpId kPlaceholder = 2;  // a shape without numbers (shape-only runs, the device meta)
// A node of the gradient graph that has no numbers: a function whose gradient is somebody else's to compute. Its
// outputs are values rebased onto it, each with its number as the attribute; its own attribute counts them.
inline constexpr OpId kFunction = 3;
inline constexpr OpId kFirstOp = 4;

// What a leaf accumulates its gradient into, or who wants to see the gradient of another value; the layer that owns
// tensors derives from it. Shared by all the values that a leaf tensor goes through as it is updated.
struct LeafState {
  std::uint32_t references = 1;
  const std::uint64_t number = ++g_made;  // what it is known by when it may be gone
  virtual ~LeafState() = default;
  // The tensor that held `from` holds `to` after an in-place operation (not called for leaves).
  virtual void moved(Value*, Value*) {}

 private:
  static inline std::uint64_t g_made = 0;
};
inline void retain(LeafState* state) { ++state->references; }
inline void release(LeafState* state) {
  if (--state->references == 0) delete state;
}
using LeafPtr = IntrusivePtr<LeafState>;

// The bits of a scalar input by the value's dtype: a double, an int64, or two doubles (real and imaginary part); random
// ops use both words, too (key, offset).
struct ScalarBits {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

// Where in its storage a value lies. Strides in elements; null strides: contiguous in row-major order.
struct Layout {
  std::int64_t offset = 0;
  const Attribute* strides = nullptr;
};

enum ValueFlags : std::uint16_t {
  kRequiresGrad = 1,
  kOverwritten = 2,     // a tensor that held this value was changed in place: earlier uses must not read it any more
  kHistoryFreed = 4,    // a backward pass went through here without retain_graph
  kHasHooks = 8,        // someone wants to see or replace this value's gradient
  kInferenceMade = 16,  // recorded in inference mode
  kPerExample = 32,     // stands for one example of a batch (vmap): on no tape, and never with numbers
  kDual = 64,           // has, or had, a tangent: a derivative in the direction of a dual level
  kReordered = 128,     // its elements are shown in another order than row-major (ops/memory_order.h)
  kMeta = 256           // on the device meta: on no tape, and never with numbers
};

// Two cache lines, the first of which holds what every walk looks at: a deep net's values are not in the caches. An op
// whose gradient nobody may ask for holds no inputs (ops/record.cpp): what is computed from what stands on the tape.
struct Value {
  std::uint32_t references;
  OpId op;
  DType dtype;
  std::uint16_t flags;
  std::uint16_t input_count;
  std::uint16_t label;     // public op that recorded it, for grad_fn's name; 0: the op's own
  std::uint16_t freed_by;  // with kHistoryFreed: the walk (autograd/freed_graph.h); 0: its operands are still there
  std::uint32_t scope;     // module path that recorded it
  std::uint32_t epoch;     // the tape `slot` refers to
  std::uint32_t slot;      // position among that tape's values, inputs or scalars
  std::uint32_t mark;      // scratch of graph walks, valid for one walk
  std::uint64_t sequence;  // creation order: a topological order of all values
  const Shape* shape;
  const Attribute* attribute;
  Storage* storage;  // owned; null while pending, or if nobody needed the numbers
  LeafState* leaf;   // owned; non-null: gradients stop here and accumulate
  LeafState* hooks;  // owned; who wants to see the gradient (with kHasHooks), and what else is known of the node
  Layout layout;
  const Attribute* shown_strides;  // with kReordered: see ops/memory_order.h; null: to be found along the view's bases
  std::uint64_t overwritten_at;    // with kOverwritten: values created up to then used the old numbers
  union {
    ScalarBits scalar = {};  // of kScalar
    Value* inputs[1];        // owned; input_count of them, of which two have room here
  };

  bool has(ValueFlags flag) const { return (flags & flag) != 0; }
  bool requires_grad() const { return has(kRequiresGrad); }
  Device device() const { return has(kMeta) ? Device::kMeta : Device::kCpu; }
  // It is known that nobody will ever ask this value for its numbers.
  bool is_without_numbers() const { return (flags & (kMeta | kPerExample)) != 0; }
  bool is_leaf() const { return leaf != nullptr || !requires_grad(); }
  // Numbers are there, or will be when the running plan ends.
  bool is_realized() const { return storage != nullptr; }
  std::span<Value* const> operands() const { return {inputs, input_count}; }
};

// A fresh value with one reference, owned by the result; `inputs` are retained. No storage, no flags.
ValuePtr make_value(OpId op, std::span<Value* const> inputs, const Shape* shape, DType dtype,
                    const Attribute* attribute);

// A value over numbers that exist.
ValuePtr make_leaf(StoragePtr storage, const Shape* shape, DType dtype, Layout layout = {});
// A value on the device meta.
ValuePtr make_meta(const Shape* shape, DType dtype);
ValuePtr make_scalar(double number, DType dtype);  // of a complex type: the real part
ValuePtr make_scalar(std::int64_t number, DType dtype);
ValuePtr make_scalar(ScalarBits bits, DType dtype);

void attach_storage(Value* value, StoragePtr storage, Layout layout = {});
void attach_leaf(Value* value, LeafPtr leaf);
void attach_hooks(Value* value, LeafPtr hooks);

// Drops the inputs: the value is no longer connected to what made it. Frees iteratively, however deep the graph.
void drop_inputs(Value* value);
// Gives up a reference, and what the value was made of if only a tape's list of inputs holds it then.
void let_go(Value* value);

// The sequence number of the newest value.
std::uint64_t current_sequence();

// Called at the end of a value with kDual, and of one with `freed_by`.
void set_dual_observer(void (*freed)(const Value*));
void set_freed_observer(void (*freed)(const Value*));

// How many values exist.
std::int64_t live_value_count();

// Frees a value without references, and what it alone held: iteratively, however deep the graph.
void destroy(Value* value);

inline void retain(Value* value) { ++value->references; }
inline void release(Value* value) {
  if (--value->references == 0) destroy(value);
}

}  // namespace lamina

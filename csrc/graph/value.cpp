// Making and freeing values: slabs of two sizes, and a work list instead of recursion.
#include "graph/value.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "graph/tape.h"

namespace lamina {

namespace {

constexpr std::size_t kLine = 64;  // bytes of the cache
constexpr std::size_t kSlabValues = 256;
constexpr std::size_t kAhead = 4;  // values that are asked for before they are made

// Not destroyed at exit: values may outlive static objects, and slabs stay reachable for leak checkers.
union Pool {
  constexpr Pool() : free{} {}
  ~Pool() {}
  std::vector<void*> free[2];
};
Pool g_pool;
std::int64_t g_live = 0;
void (*g_dual_freed)(const Value*) = nullptr;
void (*g_walked_freed)(const Value*) = nullptr;
std::uint64_t g_sequence = 0;

static_assert(sizeof(Value) == 2 * kLine);
constexpr std::size_t kFewInputs = sizeof(ScalarBits) / sizeof(Value*),
                      kMostPooled = kFewInputs + kLine / sizeof(Value*);

// Those with few inputs, and those with as many as have room in one cache line more.
std::vector<void*>& pool_of(std::size_t inputs) { return g_pool.free[inputs > kFewInputs]; }

void* allocate(std::size_t inputs) {
  if (inputs > kMostPooled) {
    void* memory = std::malloc(sizeof(Value) + (inputs - kFewInputs) * sizeof(Value*));
    if (!memory) throw std::bad_alloc();
    return memory;
  }
  auto& list = pool_of(inputs);
  if (list.empty()) {
    std::size_t bytes = sizeof(Value) + (inputs > kFewInputs ? kLine : 0);
    auto* slab = static_cast<std::byte*>(std::aligned_alloc(kLine, bytes * kSlabValues));  // reused, never returned
    if (!slab) throw std::bad_alloc();
    list.reserve(kSlabValues);
    for (std::size_t i = kSlabValues; i-- > 0;) list.push_back(slab + i * bytes);
  }
  void* memory = list.back();
  list.pop_back();
  if (list.size() >= kAhead) {  // a deep net's values have left the caches since the last pass
    auto* later = static_cast<std::byte*>(*(list.end() - kAhead));
    for (std::size_t at = 0; at < sizeof(Value); at += kLine) __builtin_prefetch(later + at, 1);
  }
  return memory;
}

void deallocate(Value* value) {
  if (value->input_count <= kMostPooled)
    pool_of(value->input_count).push_back(value);
  else
    std::free(value);
}

std::vector<Value*> g_dying;
bool g_draining = false;

// What only its tape's list of inputs holds gives numbers and nothing else: what Python has attached to the graph dies
// with its last user, not when the tape runs.
bool is_only_listed(const Value* value) {
  bool has_more = value->input_count != 0 || value->leaf || value->hooks;
  return value->references == 2 && has_more && Tape::current().lists(value);
}

void free_one(Value* value) {
  if (value->references != 0) {  // see let_go
    LeafPtr leaf, hooks;
    if (is_only_listed(value)) {
      if (value->leaf) leaf = LeafPtr::adopt(std::exchange(value->leaf, nullptr));
      if (value->hooks) hooks = LeafPtr::adopt(std::exchange(value->hooks, nullptr));
      drop_inputs(value);
    }
    return release(value);
  }
  if (!value->storage && value->op >= kFirstOp) Tape::forget(value);
  drop_inputs(value);
  if (value->storage) release(value->storage);
  if (value->leaf) release(value->leaf);
  if (value->hooks) release(value->hooks);
  if (value->has(kDual)) [[unlikely]]
    g_dual_freed(value);
  if (value->freed_by) g_walked_freed(value);
  deallocate(value);
  --g_live;
}

}  // namespace

void destroy(Value* value) {
  if (g_draining) {
    g_dying.push_back(value);
    return;
  }
  g_draining = true;
  for (;;) {
    free_one(value);
    if (g_dying.empty()) break;
    value = g_dying.back();  // it died meanwhile
    g_dying.pop_back();
  }
  g_draining = false;
}

ValuePtr make_value(OpId op, std::span<Value* const> inputs, const Shape* shape, DType dtype,
                    const Attribute* attribute) {
  auto* value = new (allocate(inputs.size())) Value{};
  value->references = 1;
  value->op = op;
  value->dtype = dtype;
  value->input_count = static_cast<std::uint16_t>(inputs.size());
  value->shape = shape;
  value->attribute = attribute;
  value->sequence = ++g_sequence;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    value->inputs[i] = inputs[i];
    retain(inputs[i]);
  }
  ++g_live;
  return ValuePtr::adopt(value);
}

ValuePtr make_leaf(StoragePtr storage, const Shape* shape, DType dtype, Layout layout) {
  ValuePtr value = make_value(kLeaf, {}, shape, dtype, nullptr);
  attach_storage(value.get(), std::move(storage), layout);
  return value;
}

ValuePtr make_meta(const Shape* shape, DType dtype) {
  ValuePtr value = make_value(kPlaceholder, {}, shape, dtype, nullptr);
  value->flags |= kMeta;
  return value;
}

ValuePtr make_scalar(ScalarBits bits, DType dtype) {
  ValuePtr value = make_value(kScalar, {}, Shape::scalar(), dtype, nullptr);
  value->scalar = bits;
  return value;
}

ValuePtr make_scalar(double number, DType dtype) {
  ScalarBits bits;
  if (is_differentiable(dtype)) {
    std::memcpy(&bits.low, &number, sizeof number);
    return make_scalar(bits, dtype);
  }
  return make_scalar(static_cast<std::int64_t>(number), dtype);
}

ValuePtr make_scalar(std::int64_t number, DType dtype) {
  if (is_differentiable(dtype)) return make_scalar(static_cast<double>(number), dtype);
  ScalarBits bits;
  bits.low = static_cast<std::uint64_t>(number);
  return make_scalar(bits, dtype);
}

void attach_storage(Value* value, StoragePtr storage, Layout layout) {
  if (value->storage) release(value->storage);
  value->storage = storage.detach();
  value->layout = layout;
}

void attach_leaf(Value* value, LeafPtr leaf) {
  if (value->leaf) release(value->leaf);
  value->leaf = leaf.detach();
}

void attach_hooks(Value* value, LeafPtr hooks) {
  if (value->hooks) release(value->hooks);
  value->hooks = hooks.detach();
}

void drop_inputs(Value* value) {
  for (std::size_t i = 0; i < value->input_count; ++i)
    if (Value* input = std::exchange(value->inputs[i], nullptr)) let_go(input);
}

void let_go(Value* value) {
  if (is_only_listed(value))
    destroy(value);  // with the reference, which is given up when it is the value's turn
  else
    release(value);
}

void set_dual_observer(void (*freed)(const Value*)) { g_dual_freed = freed; }
void set_freed_observer(void (*freed)(const Value*)) { g_walked_freed = freed; }

std::uint64_t current_sequence() { return g_sequence; }
std::int64_t live_value_count() { return g_live; }

}  // namespace lamina

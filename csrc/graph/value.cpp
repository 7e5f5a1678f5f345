// Making and freeing values: slabs by number of inputs, and a work list instead of recursion.
#include "graph/value.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "graph/tape.h"

namespace lamina {

namespace {

constexpr std::size_t kPooledInputs = 4;  // values with fewer inputs come from a free list
constexpr std::size_t kSlabValues = 256;
constexpr std::size_t kAhead = 4;  // values that are asked for before they are made

// Not destroyed at exit: values may outlive static objects, and slabs stay reachable for leak checkers.
union Pool {
  constexpr Pool() : free{} {}
  ~Pool() {}
  std::vector<void*> free[kPooledInputs];
};
Pool g_pool;
std::int64_t g_live = 0;
void (*g_dual_freed)(const Value*) = nullptr;
std::uint64_t g_sequence = 0;

std::size_t bytes_for(std::size_t inputs) { return sizeof(Value) + (inputs > 1 ? (inputs - 1) * sizeof(Value*) : 0); }

void* allocate(std::size_t inputs) {
  if (inputs >= kPooledInputs) {
    void* memory = std::malloc(bytes_for(inputs));
    if (!memory) throw std::bad_alloc();
    return memory;
  }
  auto& list = g_pool.free[inputs];
  if (list.empty()) {
    std::size_t bytes = (bytes_for(inputs) + 15) / 16 * 16;
    auto* slab = static_cast<std::byte*>(std::malloc(bytes * kSlabValues));  // slabs are reused, never returned
    if (!slab) throw std::bad_alloc();
    list.reserve(kSlabValues);
    for (std::size_t i = kSlabValues; i-- > 0;) list.push_back(slab + i * bytes);
  }
  void* memory = list.back();
  list.pop_back();
  if (list.size() >= kAhead) {  // a deep net's values have left the caches since the last pass
    auto* later = static_cast<std::byte*>(*(list.end() - kAhead));
    for (std::size_t at = 0; at < sizeof(Value); at += 64) __builtin_prefetch(later + at, 1);
  }
  return memory;
}

void deallocate(Value* value) {
  if (value->input_count < kPooledInputs)
    g_pool.free[value->input_count].push_back(value);
  else
    std::free(value);
}

std::vector<Value*> g_dying;
bool g_draining = false;

void let_go_of_inputs(Value* value) {
  for (std::size_t i = 0; i < value->input_count; ++i)
    if (Value* input = std::exchange(value->inputs[i], nullptr)) let_go(ValuePtr::adopt(input));
}

void free_one(Value* value) {
  let_go_of_inputs(value);
  if (value->storage) release(value->storage);
  if (value->leaf) release(value->leaf);
  if (value->hooks) release(value->hooks);
  if (value->has(kDual)) [[unlikely]]
    g_dual_freed(value);
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

void drop_inputs(Value* value) { let_go_of_inputs(value); }

void set_dual_observer(void (*freed)(const Value*)) { g_dual_freed = freed; }

std::uint64_t current_sequence() { return g_sequence; }
std::int64_t live_value_count() { return g_live; }

}  // namespace lamina

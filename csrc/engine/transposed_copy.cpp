// The transposes of weights. Test: tests/python/test_transposed_weights.py.
#include "engine/transposed_copy.h"

#include <new>
#include <unordered_set>

#include "engine/flush.h"
#include "graph/tape.h"
#include "ops/table.h"
#include "plan/plan.h"
#include "runtime/buffer.h"
#include "runtime/steps.h"

namespace lamina::engine {

namespace {

constexpr int kReadings = 3;  // a weight that changes between two calls is never worth it

bool is_whole(const Value* matrix) {
  return !matrix->layout.strides && matrix->layout.offset == 0 &&
         matrix->storage->bytes == static_cast<std::size_t>(matrix->shape->numel()) * size_of(matrix->dtype);
}

// Those that have a copy now.
std::unordered_set<Storage*>& holders() {
  static auto* all = [] {
    rearranged_forgotten = [](Storage* storage) { holders().erase(storage); };
    runtime::set_memory_reserve(drop_transposed_copies);
    return new std::unordered_set<Storage*>;
  }();
  return *all;
}

StoragePtr transpose(const ValuePtr& matrix) {
  realize(matrix.get());
  std::int64_t rows = (*matrix->shape)[0], columns = (*matrix->shape)[1];
  StoragePtr storage = runtime::allocate(matrix->storage->bytes);
  CopyStep step;
  step.dims = {columns, rows};
  step.from_strides = {1, columns};
  step.to_strides = {rows, 1};
  step.element_size = static_cast<std::uint8_t>(size_of(matrix->dtype));
  step.from.slot = 0;
  step.to.slot = 1;
  std::byte* slots[] = {data_of(matrix.get()), static_cast<std::byte*>(storage->data)};
  runtime::run(step, slots);
  return storage;
}

}  // namespace

ValuePtr transposed_copy(const ValuePtr& matrix) {
  Storage* storage = matrix->storage;
  // A view may show the same memory in another shape: the copy belongs to the one value that is no view.
  if (!storage || is_view(matrix.get()) || matrix->shape->rank() != 2 || matrix->shape->numel() == 0) return nullptr;
  if (storage->exposed() || storage->read_only || !is_whole(matrix.get())) return nullptr;
  if (&Tape::current() != &Tape::main()) return nullptr;
  if (!storage->rearranged) {
    if (++storage->readings < kReadings) return nullptr;
    try {
      StoragePtr copy = transpose(matrix);
      holders().insert(storage);
      storage->rearranged = copy.detach();
    } catch (const std::bad_alloc&) {  // it is a luxury
      storage->readings = 0;
      return nullptr;
    }
  }
  const Shape* shape = Shape::of({(*matrix->shape)[1], (*matrix->shape)[0]});
  return make_leaf(StoragePtr(storage->rearranged), shape, matrix->dtype);
}

void drop_transposed_copies() {
  while (!holders().empty()) forget_rearranged(*holders().begin());
}

}  // namespace lamina::engine

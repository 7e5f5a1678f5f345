// Looking at numbers while a program is recorded.
#include "engine/index.h"

#include <algorithm>

#include "engine/flush.h"
#include "ops/build.h"
#include "runtime/buffer.h"

namespace lamina::engine {

namespace {

// The numbers in row-major order, whatever the layout.
ValuePtr readable(const ValuePtr& x, DType dtype) {
  ValuePtr plain = build::cast(build::detach(x), dtype);
  realize(plain.get());
  if (plain->layout.strides) {
    plain = build::clone(plain);
    realize(plain.get());
  }
  return plain;
}

std::span<const std::int64_t> integers(const ValuePtr& x) {
  return {reinterpret_cast<const std::int64_t*>(data_of(x.get())), static_cast<std::size_t>(x->shape->numel())};
}

ValuePtr wrapped_index(const ValuePtr& numbers, std::int64_t size) {
  ValuePtr negative = build::binary(Op::lt, numbers, make_scalar(std::int64_t{0}, DType::kInt64));
  return build::where(negative, build::add(numbers, make_scalar(size, DType::kInt64)), numbers);
}

}  // namespace

bool has_zero(const ValuePtr& x) {
  if (x->is_without_numbers()) return false;
  ValuePtr numbers = readable(x, DType::kInt64);
  auto all = integers(numbers);
  return std::find(all.begin(), all.end(), 0) != all.end();
}

bool all_within(const ValuePtr& x, double low, double high) {
  if (x->is_without_numbers()) return true;
  // float32 is read as it is: what has its numbers already does not run what is pending.
  bool single = x->dtype == DType::kFloat32;
  ValuePtr numbers = readable(x, single ? DType::kFloat32 : DType::kFloat64);
  auto within = [=](double number) { return number >= low && number <= high; };
  auto all = [&](const auto* first) { return std::all_of(first, first + x->shape->numel(), within); };
  const auto* bytes = data_of(numbers.get());
  return single ? all(reinterpret_cast<const float*>(bytes)) : all(reinterpret_cast<const double*>(bytes));
}

ValuePtr checked_index(const ValuePtr& index, std::int64_t size, int axis, bool wraps, ErrorKind kind) {
  // What has no numbers yet is checked when it has.
  if (index->is_without_numbers()) {
    ValuePtr numbers = build::cast(index, DType::kInt64);
    return wraps ? wrapped_index(numbers, size) : numbers;
  }
  ValuePtr numbers = readable(index, DType::kInt64);
  auto all = integers(numbers);
  if (all.empty()) return numbers;
  auto [low, high] = std::minmax_element(all.begin(), all.end());
  std::int64_t smallest = *low, largest = *high;
  if (largest >= size || smallest < (wraps ? -size : 0))
    fail(kind, "index ", largest >= size ? largest : smallest, " is out of bounds for dimension ", axis, " with size ",
         size);
  return smallest >= 0 ? numbers : wrapped_index(numbers, size);
}

bool are_positions(const ValuePtr& numbers, std::int64_t size, std::int64_t excluded) {
  if (numbers->has(kMeta)) return true;
  ValuePtr plain = readable(numbers, DType::kInt64);
  auto all = integers(plain);
  return std::all_of(all.begin(), all.end(), [=](std::int64_t n) { return n >= 0 && n < size && n != excluded; });
}

ValuePtr nonzero(const ValuePtr& x) {
  if (x->has(kMeta))
    fail(ErrorKind::kNotImplemented,
         "nonzero() of a tensor on meta: how many elements are not 0 depends on numbers, which it has not");
  ValuePtr mask =
      readable(build::binary(Op::ne, build::detach(x), make_scalar(std::int64_t{0}, x->dtype)), DType::kBool);
  const auto* flags = reinterpret_cast<const std::uint8_t*>(data_of(mask.get()));
  std::int64_t numel = x->shape->numel(), rank = x->shape->rank();
  auto count = static_cast<std::int64_t>(std::count(flags, flags + numel, 1));
  StoragePtr storage = runtime::allocate(static_cast<std::size_t>(count * rank) * sizeof(std::int64_t));
  auto* out = static_cast<std::int64_t*>(storage->data);
  for (std::int64_t i = 0; i < numel; ++i) {
    if (!flags[i]) continue;
    std::int64_t rest = i;
    for (int axis = x->shape->rank(); axis-- > 0;) {
      out[axis] = rest % (*x->shape)[axis];
      rest /= (*x->shape)[axis];
    }
    out += rank;
  }
  return make_leaf(std::move(storage), Shape::of({count, rank}), DType::kInt64);
}

}  // namespace lamina::engine

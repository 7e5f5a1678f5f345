// Looking at numbers while a program is recorded.
#include "engine/index.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include "engine/flush.h"
#include "ops/build.h"
#include "runtime/buffer.h"
#include "runtime/thread_pool.h"

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

// Whether all lie in [0, size): no branch an element, and all threads look.
bool are_places(std::span<const std::int64_t> numbers, std::int64_t size) {
  std::atomic<bool> outside = false;
  runtime::parallel_for(numbers.size(), std::size_t{1} << 16, [&](std::size_t begin, std::size_t end) {
    constexpr std::size_t kTogether = 16;  // a number that the compiler knows makes vectors
    std::uint64_t negative = 0;
    const auto look = [&](std::size_t i) {
      const auto n = static_cast<std::uint64_t>(numbers[i]);
      negative |= n | (static_cast<std::uint64_t>(size) - 1 - n);
    };
    for (; end - begin >= kTogether; begin += kTogether)
      for (std::size_t i = 0; i < kTogether; ++i) look(begin + i);
    for (; begin < end; ++begin) look(begin);
    if (negative >> 63) outside = true;
  });
  return !outside;
}

std::size_t count_set(const std::uint8_t* flags, std::size_t n) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < n;) {
    std::uint32_t some = 0;  // half as wide as the sum: this far it cannot overflow
    const std::size_t end = std::min(n, i + (std::size_t{1} << 24));
    for (; i < end; ++i) some += flags[i];
    count += some;
  }
  return count;
}

// The positions of the flags that are set from `begin` to `end`, in a tensor of this shape, one row each.
void write_positions(std::int64_t* out, const std::uint8_t* flags, std::size_t begin, std::size_t end,
                     const Shape* shape) {
  constexpr std::size_t kBlock = 256;
  const std::size_t last = static_cast<std::size_t>(shape->rank()) - 1;
  const std::int64_t length = shape->dims()[last];
  DimVector row(last, 0);  // the coordinates of the row from `first` to `behind`
  std::int64_t first = 0, behind = 0;
  for (; begin < end; begin += kBlock) {
    std::int64_t found[kBlock];  // a position may be overwritten by the next: no branch an element
    std::size_t count = 0;
    const std::size_t block = std::min(kBlock, end - begin);
    for (std::size_t i = 0; i < block; ++i) {
      found[count] = static_cast<std::int64_t>(begin + i);
      count += flags[begin + i];
    }
    if (last == 0) {
      out = std::copy(found, found + count, out);
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (found[i] >= behind) {
        std::int64_t rest = found[i] / length;
        first = rest * length, behind = first + length;
        for (std::size_t axis = last; axis-- > 0; rest /= shape->dims()[axis]) row[axis] = rest % shape->dims()[axis];
      }
      out = std::copy(row.begin(), row.end(), out);
      *out++ = found[i] - first;
    }
  }
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
  if (are_places(all, size)) return numbers;
  auto [low, high] = std::minmax_element(all.begin(), all.end());
  std::int64_t smallest = *low, largest = *high;
  if (largest >= size || smallest < (wraps ? -size : 0))
    fail(kind, "index ", largest >= size ? largest : smallest, " is out of bounds for dimension ", axis, " with size ",
         size);
  return wrapped_index(numbers, size);
}

bool are_positions(const ValuePtr& numbers, std::int64_t size, std::int64_t excluded) {
  if (numbers->has(kMeta)) return true;
  ValuePtr plain = readable(numbers, DType::kInt64);
  auto all = integers(plain);
  if (!are_places(all, size)) return false;
  return excluded < 0 || excluded >= size || std::find(all.begin(), all.end(), excluded) == all.end();
}

ValuePtr nonzero(const ValuePtr& x) {
  if (x->has(kMeta))
    fail(ErrorKind::kNotImplemented,
         "nonzero() of a tensor on meta: how many elements are not 0 depends on numbers, which it has not");
  ValuePtr mask =
      readable(build::binary(Op::ne, build::detach(x), make_scalar(std::int64_t{0}, x->dtype)), DType::kBool);
  const auto* flags = reinterpret_cast<const std::uint8_t*>(data_of(mask.get()));
  const auto numel = static_cast<std::size_t>(x->shape->numel());
  const auto rank = static_cast<std::size_t>(x->shape->rank());
  constexpr std::size_t kChunk = std::size_t{1} << 15;
  std::vector<std::size_t> before((numel + kChunk - 1) / kChunk + 1);  // how many are found before a chunk
  runtime::parallel_for(numel, kChunk, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; begin += kChunk)
      before[begin / kChunk + 1] = count_set(flags + begin, std::min(kChunk, end - begin));
  });
  std::partial_sum(before.begin(), before.end(), before.begin());
  const std::size_t count = before.back();
  StoragePtr storage = runtime::allocate(count * rank * sizeof(std::int64_t));
  auto* out = static_cast<std::int64_t*>(storage->data);
  runtime::parallel_for(numel, kChunk, [&](std::size_t begin, std::size_t end) {
    if (rank != 0) write_positions(out + before[begin / kChunk] * rank, flags, begin, end, x->shape);
  });
  return make_leaf(std::move(storage), Shape::of({static_cast<std::int64_t>(count), x->shape->rank()}), DType::kInt64);
}

}  // namespace lamina::engine

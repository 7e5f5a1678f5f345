// Random generators and the ops that draw from them.
#include "engine/random.h"

#include <numeric>
#include <random>
#include <utility>

#include "engine/examples.h"
#include "engine/flush.h"
#include "kernels/table.h"
#include "ops/build.h"
#include "runtime/buffer.h"
#include "support/check.h"

namespace lamina::engine {

Generator& default_generator() {
  static auto* generator = [] {
    std::random_device entropy;
    auto* fresh = new Generator;
    fresh->reseed(static_cast<std::uint64_t>(entropy()) << 32 | entropy());
    return fresh;
  }();
  return *generator;
}

ValuePtr random(Op op, const Shape* shape, DType dtype, Generator& generator, Device device) {
  if (device == Device::kMeta) return make_meta(shape, dtype);
  using namespace build;
  if (op == Op::uniform && is_narrow(dtype)) {  // as many digits as the type has, so that none rounds to 1
    const double steps = dtype == DType::kFloat16 ? 2048 : 256;
    ValuePtr fine = engine::random(op, shape, DType::kFloat32, generator);
    return cast(floor(fine * steps) / steps, dtype);
  }
  if (draws_for_examples()) return draw_for_examples(op, shape, dtype, generator);
  runtime::check_addressable(static_cast<std::size_t>(shape->numel()) * size_of(dtype));
  return build::random(op, shape, dtype, generator.seed, generator.advance(shape->numel()));
}

ValuePtr random_integers(const Shape* shape, std::int64_t low, std::int64_t high, Generator& generator, Device device) {
  check(low < high, "random_ expects 'from' to be less than 'to', but got from=", low, " >= to=", high);
  // Bits modulo the range, as PyTorch does; the bias is below range / 2^63.
  auto range = static_cast<std::int64_t>(static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low));
  ValuePtr bits = random(Op::random_bits, shape, DType::kInt64, generator, device);
  ValuePtr first = make_scalar(low, DType::kInt64);
  if (range < 0) {  // 2^63 or more: 64 bits exceed it less than twice
    ValuePtr limit = make_scalar(range, DType::kInt64), zero = make_scalar(std::int64_t{0}, DType::kInt64);
    ValuePtr beyond =
        build::binary(Op::logical_and, build::binary(Op::lt, bits, zero), build::binary(Op::ge, bits, limit));
    return build::add(build::where(beyond, build::sub(bits, limit), bits), first);
  }
  ValuePtr positive =
      build::binary(Op::bitwise_and, bits, make_scalar(std::int64_t{0x7FFFFFFFFFFFFFFF}, DType::kInt64));
  ValuePtr folded = build::remainder(positive, make_scalar(range, DType::kInt64));
  return build::add(folded, first);
}

ValuePtr random_permutation(std::int64_t n, Generator& generator, Device device) {
  check(n >= 0, "n must be non-negative, got ", n);
  const Shape* shape = Shape::of({n});
  if (device == Device::kMeta) return make_meta(shape, DType::kInt64);
  if (draws_for_examples())
    return build::argsort(engine::random(Op::random_bits, shape, DType::kInt64, generator), false, n);
  StoragePtr storage = runtime::allocate(static_cast<std::size_t>(n) * sizeof(std::int64_t));
  StoragePtr bits = runtime::allocate(static_cast<std::size_t>(n) * sizeof(std::uint64_t));
  auto* words = static_cast<std::uint64_t*>(bits->data);
  kernels::table().random_bits(words, static_cast<std::size_t>(n), generator.seed, generator.advance(n));
  auto* numbers = static_cast<std::int64_t*>(storage->data);
  std::iota(numbers, numbers + n, std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i)  // Fisher and Yates, Knuth's algorithm P
    std::swap(numbers[i], numbers[words[i] % static_cast<std::uint64_t>(i + 1)]);
  return make_leaf(std::move(storage), shape, DType::kInt64);
}

}  // namespace lamina::engine

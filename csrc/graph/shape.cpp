// Interning of shapes and attributes, and the broadcasting rule.
#include "graph/shape.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <unordered_map>

#include "support/check.h"

namespace lamina {

namespace {

std::uint64_t hash_of(Dims values) {
  std::uint64_t hash = 0x9E3779B97F4A7C15ull ^ values.size();
  for (std::int64_t value : values) {
    hash = (hash ^ static_cast<std::uint64_t>(value)) * 0xBF58476D1CE4E5B9ull;
    hash ^= hash >> 29;
  }
  return hash;
}

bool equal(Dims a, Dims b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

template <typename T>
using Table = std::unordered_multimap<std::uint64_t, std::unique_ptr<T>>;

Table<Shape>& shapes() {
  static auto* table = new Table<Shape>;
  return *table;
}

Table<Attribute>& attributes() {
  static auto* table = new Table<Attribute>;
  return *table;
}

const Shape* compute_broadcast(const Shape* a, const Shape* b) {
  int rank = std::max(a->rank(), b->rank());
  DimVector dims(static_cast<std::size_t>(rank));
  // From the back, so that of several axes that do not fit the last one is named, as in PyTorch.
  for (int axis = rank - 1; axis >= 0; --axis) {
    int from_a = axis - (rank - a->rank()), from_b = axis - (rank - b->rank());
    std::int64_t size_a = from_a < 0 ? 1 : (*a)[from_a], size_b = from_b < 0 ? 1 : (*b)[from_b];
    check(size_a == size_b || size_a == 1 || size_b == 1, "The size of tensor a (", size_a,
          ") must match the size of tensor b (", size_b, ") at non-singleton dimension ", axis, " (shapes ",
          to_string(a->dims()), " and ", to_string(b->dims()), ")");
    dims[static_cast<std::size_t>(axis)] = size_a == 1 ? size_b : size_a;
  }
  return Shape::of(dims);
}

}  // namespace

struct Interner {
  template <typename T, typename Contents>
  static const T* intern(Table<T>& table, Dims values, Contents contents) {
    std::uint64_t hash = hash_of(values);
    // In front of the table: a program asks for the same few again and again.
    static const T* recent[256];
    const T*& place = recent[hash >> 56];
    if (!place || !equal(contents(*place), values)) place = look_up(table, hash, values, contents);
    return place;
  }

 private:
  template <typename T, typename Contents>
  static const T* look_up(Table<T>& table, std::uint64_t hash, Dims values, Contents contents) {
    auto [begin, end] = table.equal_range(hash);
    for (auto entry = begin; entry != end; ++entry)
      if (equal(contents(*entry->second), values)) return entry->second.get();
    return table.emplace(hash, std::unique_ptr<T>(new T(values)))->second.get();
  }
};

Shape::Shape(Dims dims) : dims_(dims.begin(), dims.end()), numel_(1) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max() / 16;
  bool empty = false;
  for (std::int64_t size : dims) {
    check(size >= 0, "Trying to create tensor with negative dimension ", size, ": ", to_string(dims, '[', ']'));
    empty |= size == 0;
  }
  for (std::int64_t size : dims) {
    check(empty || numel_ <= kLargest / size,
          "Storage size calculation overflowed with sizes=", to_string(dims, '[', ']'));
    numel_ = empty ? 0 : numel_ * size;
  }
  std::int64_t step = 1;
  for (std::size_t axis = dims.size(); empty && axis-- > 1;)
    check(!__builtin_mul_overflow(step, std::max<std::int64_t>(dims[axis], 1), &step),
          "Stride calculation overflowed with sizes=", to_string(dims, '[', ']'));
}

const Shape* Shape::of(Dims dims) {
  return Interner::intern(shapes(), dims, [](const Shape& shape) { return shape.dims(); });
}

const Shape* Shape::scalar() {
  static const Shape* shape = Shape::of(Dims());
  return shape;
}

const Attribute* Attribute::of(Dims values) {
  return Interner::intern(attributes(), values, [](const Attribute& attribute) { return attribute.values(); });
}

const Shape* broadcast(const Shape* a, const Shape* b) {
  if (a == b) return a;
  // A small direct-mapped cache: a program asks for the same few pairs again and again. Shapes live for ever.
  struct Entry {
    const Shape *a, *b, *result;
  };
  static Entry cache[512];
  auto mix = (reinterpret_cast<std::uintptr_t>(a) * 31 + reinterpret_cast<std::uintptr_t>(b)) * 0x9E3779B97F4A7C15ull;
  Entry& entry = cache[mix >> 55];
  if (entry.a != a || entry.b != b) entry = {a, b, compute_broadcast(a, b)};
  return entry.result;
}

bool is_expandable(Dims from, Dims to) {
  if (from.size() > to.size()) return false;
  return std::equal(from.begin(), from.end(), to.last(from.size()).begin(),
                    [](std::int64_t a, std::int64_t b) { return a == b || a == 1; });
}

std::string to_string(Dims dims, char open, char close) {
  std::string out(1, open);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) out += ", ";
    out += std::to_string(dims[i]);
  }
  if (dims.size() == 1 && open == '(') out += ',';
  return out + close;
}

}  // namespace lamina

// Every elementwise kernel, of every type and instruction set, against wide arithmetic.
#include <gtest/gtest.h>

#include "kernel_operands.h"
#include "kernel_reference.h"

namespace lamina::kernels {
namespace {

template <class T>
constexpr bool kFloating = std::is_floating_point_v<T>;

template <class T>
T true_result(Elementwise op, T a, T b) {
  if constexpr (std::is_same_v<T, Bool>) {
    if (op == Elementwise::bitwise_not) return Bool(!a);
    return Bool(reference(op, WideInt{a}, WideInt{b}) != 0);
  } else {
    return static_cast<T>(reference(op, WideInt{a}, WideInt{b}));
  }
}

template <class T>
void expect_result(Elementwise op, T got, T a, T b) {
  if constexpr (kFloating<T>) {
    const long double truth = reference(op, static_cast<long double>(a), static_cast<long double>(b));
    EXPECT_LE(error_of(op, got, truth, a), allowed_ulp(op))
        << name_of(op) << "(" << a << ", " << b << "): expected " << truth << ", got " << got;
  } else {
    EXPECT_EQ(got, true_result(op, a, b)) << name_of(op) << "(" << +a << ", " << +b << ")";
  }
}

template <class T>
bool true_predicate(Elementwise op, T a, T b) {
  if constexpr (kFloating<T>)
    return reference(op, static_cast<long double>(a), static_cast<long double>(b)) != 0;
  else
    return reference(op, WideInt{a}, WideInt{b}) != 0;
}

// Runs the kernel on a and b and compares all results.
template <class T>
void check(const Table& table, Elementwise op, const std::vector<T>& a, const std::vector<T>& b) {
  const ElementwiseFn kernel = table.elementwise[static_cast<std::size_t>(op)][kIndex<T>];
  const std::size_t n = a.size();
  const void* operands[] = {a.data(), b.data()};
  if (is_predicate(op)) {
    Guarded<Bool> result(n);
    kernel(result.data(), operands, n);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_EQ(result[i].byte, true_predicate(op, a[i], b[i]) ? 1 : 0)
          << name_of(op) << "(" << +a[i] << ", " << +b[i] << ")";
    }
    EXPECT_TRUE(result.intact()) << name_of(op);
    return;
  }
  Guarded<T> result(n);
  kernel(result.data(), operands, n);
  for (std::size_t i = 0; i < n; ++i) expect_result(op, result[i], a[i], b[i]);
  EXPECT_TRUE(result.intact()) << name_of(op);

  std::vector<T> in_place = a;
  const void* in_place_operands[] = {in_place.data(), b.data()};
  kernel(in_place.data(), in_place_operands, n);
  EXPECT_TRUE(n == 0 || std::memcmp(in_place.data(), result.data(), n * sizeof(T)) == 0) << name_of(op) << " in place";
}

// Calls f(op) for the unary and binary kernels of T.
template <class T, class F>
void for_each_op(const Table& table, F f) {
  for (std::size_t i = 0; i < kElementwiseCount; ++i) {
    const Elementwise op = static_cast<Elementwise>(i);
    if (op == Elementwise::where || table.elementwise[i][kIndex<T>] == nullptr) continue;
    SCOPED_TRACE(lamina::name_of(DTypeOf<T>::value));
    f(op);
  }
}

TEST(KernelsElementwise, table_has_exactly_the_listed_types) {
  enum class Domain { Any, Number, Float, Integer };
  static const Domain kDomains[] = {
#define LAMINA_ELEMENTWISE(name, arity, domain) Domain::domain,
#include "support/kernel_list.inc"
  };
  for_each_table([](const Table& table) {
    for (std::size_t i = 0; i < kElementwiseCount; ++i) {
      for (std::size_t d = 0; d < kDTypeCount; ++d) {
        const DType dtype = static_cast<DType>(d);
        const bool listed = !is_composed(dtype) &&
                            (kDomains[i] == Domain::Any || (kDomains[i] == Domain::Number && dtype != DType::kBool) ||
                             (kDomains[i] == Domain::Float && is_floating(dtype)) ||
                             (kDomains[i] == Domain::Integer && !is_floating(dtype)));
        EXPECT_EQ(table.elementwise[i][d] != nullptr, listed)
            << name_of(static_cast<Elementwise>(i)) << " " << lamina::name_of(dtype);
      }
    }
  });
}

TEST(KernelsElementwise, awkward_values) {
  for_each_table([](const Table& table) {
    for_each_type([&]<class T>() {
      const std::vector<T> values = awkward_values<T>();
      std::vector<T> a, b;
      for (const T x : values) {
        for (const T y : values) a.push_back(x), b.push_back(y);
      }
      for_each_op<T>(table, [&](Elementwise op) {
        if (arity_of(op) == 1) {
          check<T>(table, op, values, values);
        } else {
          check<T>(table, op, a, b);
        }
      });
    });
  });
}

TEST(KernelsElementwise, short_and_odd_lengths) {
  for_each_table([](const Table& table) {
    for_each_type([&]<class T>() {
      for_each_op<T>(table, [&](Elementwise op) {
        for (std::size_t n = 0; n <= 67; ++n)
          check<T>(table, op, random_values<T>(n, n + 1), random_values<T>(n, n + 100));
      });
    });
  });
}

TEST(KernelsElementwise, unaligned_operands_of_a_tile) {
  for_each_table([](const Table& table) {
    for_each_type([&]<class T>() {
      for_each_op<T>(table, [&](Elementwise op) {
        const ElementwiseFn kernel = table.elementwise[static_cast<std::size_t>(op)][kIndex<T>];
        const std::vector<T> a = random_values<T>(520, 1), b = random_values<T>(520, 2);
        for (std::size_t shift = 0; shift < 5; ++shift) {
          const void* operands[] = {a.data() + shift, b.data() + 2 * shift};
          if (is_predicate(op)) {
            Guarded<Bool> result(509);
            kernel(result.data(), operands, 509);
            for (std::size_t i = 0; i < 509; ++i) {
              ASSERT_EQ(result[i], true_predicate(op, a[i + shift], b[i + 2 * shift])) << name_of(op);
            }
          } else {
            Guarded<T> result(509);
            kernel(result.data(), operands, 509);
            for (std::size_t i = 0; i < 509; ++i) expect_result(op, result[i], a[i + shift], b[i + 2 * shift]);
          }
        }
      });
    });
  });
}

TEST(KernelsElementwise, where_selects_by_bool) {
  for_each_table([](const Table& table) {
    for_each_type([&]<class T>() {
      const ElementwiseFn kernel = table.elementwise[static_cast<std::size_t>(Elementwise::where)][kIndex<T>];
      for (std::size_t n = 0; n <= 131; ++n) {
        const std::vector<Bool> condition = random_values<Bool>(n, n);
        const std::vector<T> a = random_values<T>(n, n + 1), b = random_values<T>(n, n + 2);
        const void* operands[] = {condition.data(), a.data(), b.data()};
        Guarded<T> result(n);
        kernel(result.data(), operands, n);
        for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(result[i], condition[i] ? a[i] : b[i]);
        EXPECT_TRUE(result.intact());
      }
    });
  });
}

// Literal results of PyTorch 2.13 where a formula could be misread.
TEST(KernelsElementwise, conventions_of_pytorch) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  struct Case {
    Elementwise op;
    float a, b, expected;
  };
  const Case cases[] = {
      {Elementwise::relu, nan, 0, nan},
      {Elementwise::relu, -0.0f, 0, -0.0f},
      {Elementwise::sign, nan, 0, 0},
      {Elementwise::sign, -0.0f, 0, 0},
      {Elementwise::round, 2.5f, 0, 2},
      {Elementwise::round, -3.5f, 0, -4},
      {Elementwise::maximum, nan, 1, nan},
      {Elementwise::maximum, 1, nan, nan},
      {Elementwise::maximum, 0, -0.0f, -0.0f},
      {Elementwise::minimum, 1, nan, nan},
      {Elementwise::remainder, 1, -infinity, -infinity},
      {Elementwise::remainder, -5, 3, 1},
      {Elementwise::remainder, -6, 3, -0.0f},
      {Elementwise::remainder, 5, -3, -1},
      {Elementwise::remainder, infinity, 2, nan},
      {Elementwise::fmod, -5, 3, -2},
      {Elementwise::fmod, 1, infinity, 1},
      {Elementwise::floor_divide, 1, -infinity, -1},
      {Elementwise::floor_divide, 1, 0, infinity},
      {Elementwise::floor_divide, -5, 3, -2},
      {Elementwise::floor_divide, 1, 0.1f, 9},
      {Elementwise::pow, -5, 3, -125},
      {Elementwise::pow, 1, nan, 1},
      {Elementwise::reciprocal, -infinity, 0, -0.0f},
      {Elementwise::rsqrt, -0.0f, 0, -infinity},
  };
  for_each_table([&](const Table& table) {
    for (const Case& c : cases) {
      const void* operands[] = {&c.a, &c.b};
      float got = 77;
      table.elementwise[static_cast<std::size_t>(c.op)][kIndex<float>](&got, operands, 1);
      EXPECT_TRUE(std::memcmp(&got, &c.expected, sizeof(got)) == 0 || (std::isnan(got) && std::isnan(c.expected)))
          << name_of(c.op) << "(" << c.a << ", " << c.b << "): expected " << c.expected << ", got " << got;
    }
  });
}

}  // namespace
}  // namespace lamina::kernels

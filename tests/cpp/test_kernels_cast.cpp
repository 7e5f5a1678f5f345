// All 36 conversions between element types.
#include <gtest/gtest.h>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

template <class To, class From>
To expected_cast(From x) {
  if constexpr (std::is_same_v<To, Bool>)
    return Bool(x != From(0));
  else if constexpr (std::is_same_v<From, Bool>)
    return static_cast<To>(x.byte);
  else if constexpr (std::is_floating_point_v<From> && sizeof(To) == 1)
    return static_cast<To>(static_cast<std::int32_t>(x));
  else
    return static_cast<To>(x);
}

template <class T>
bool same(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return std::memcmp(&a, &b, sizeof(T)) == 0 || (std::isnan(a) && std::isnan(b));
  else
    return a == b;
}

// Values that From has and To can hold: other conversions are the next test's.
template <class To, class From>
std::vector<From> convertible_values() {
  std::vector<From> values = awkward_values<From>();
  if constexpr (std::is_floating_point_v<From> && !std::is_floating_point_v<To> && !std::is_same_v<To, Bool>) {
    std::erase_if(values, [](From x) { return !(std::fabs(x) < 2e9); });
  }
  return values;
}

TEST(KernelsCast, all_pairs) {
  for_each_table([](const Table& table) {
    for_each_type([&]<class From>() {
      for_each_type([&]<class To>() {
        const CastFn kernel = table.cast[kIndex<From>][kIndex<To>];
        ASSERT_NE(kernel, nullptr);
        std::vector<From> values = convertible_values<To, From>();
        for (const From x : random_values<From>(600, 3)) values.push_back(x);
        for (std::size_t n = 0; n <= values.size(); n += (n < 67 ? 1 : 97)) {
          // From the end backwards, so that the operands are unaligned.
          const From* in = values.data() + (values.size() - n);
          Guarded<To> result(n);
          kernel(result.data(), in, n);
          for (std::size_t i = 0; i < n; ++i) {
            EXPECT_TRUE(same(result[i], expected_cast<To>(in[i])))
                << name_of(DTypeOf<From>::value) << " to " << name_of(DTypeOf<To>::value) << " of " << +in[i];
          }
          EXPECT_TRUE(result.intact());
        }
      });
    });
  });
}

TEST(KernelsCast, in_place_between_types_of_one_size) {
  for_each_table([](const Table& table) {
    const std::vector<float> in = random_values<float>(100, 1);
    std::vector<float> buffer = in;
    table.cast[kIndex<float>][kIndex<std::int32_t>](buffer.data(), buffer.data(), buffer.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
      std::int32_t got = 0;
      std::memcpy(&got, &buffer[i], sizeof(got));
      EXPECT_EQ(got, static_cast<std::int32_t>(in[i]));
    }
  });
}

// Every number of a 16-bit type survives the way to float and back, and what lies halfway between two goes to the even.
TEST(KernelsCast, sixteen_bit_floats) {
  for_each_table([](const Table& table) {
    for (const DType narrow : {DType::kFloat16, DType::kBFloat16}) {
      const CastFn widen = table.cast[index_of(narrow)][index_of(DType::kFloat32)];
      const CastFn shorten = table.cast[index_of(DType::kFloat32)][index_of(narrow)];
      const std::size_t infinity = narrow == DType::kFloat16 ? 0x7C00 : 0x7F80;
      std::vector<std::uint16_t> halves(0x10000), back(0x10000);
      std::iota(halves.begin(), halves.end(), std::uint16_t{0});
      std::vector<float> floats(halves.size());
      widen(floats.data(), halves.data(), halves.size());
      shorten(back.data(), floats.data(), floats.size());
      for (std::size_t i = 0; i < halves.size(); ++i) {
        const bool is_nan = (i & 0x7FFF) > infinity;
        EXPECT_EQ(std::isnan(floats[i]), is_nan) << i;
        EXPECT_EQ(is_nan || back[i] == halves[i], true) << i;
      }
      EXPECT_EQ(floats[infinity], std::numeric_limits<float>::infinity());
      std::vector<float> between(infinity - 1);
      for (std::size_t i = 0; i < between.size(); ++i)
        between[i] = static_cast<float>((static_cast<double>(floats[i]) + static_cast<double>(floats[i + 1])) / 2);
      shorten(back.data(), between.data(), between.size());
      for (std::size_t i = 0; i < between.size(); ++i) EXPECT_EQ(back[i], i + (i & 1)) << i;
    }
  });
}

TEST(KernelsCast, small_integers_wrap_around) {
  for_each_table([](const Table& table) {
    const std::int32_t numbers[] = {127, 128, -129, 40000, -40000};
    std::int8_t bytes[5];
    std::int16_t shorts[5];
    table.cast[kIndex<std::int32_t>][index_of(DType::kInt8)](bytes, numbers, 5);
    table.cast[kIndex<std::int32_t>][index_of(DType::kInt16)](shorts, numbers, 5);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(bytes[i], static_cast<std::int8_t>(numbers[i]));
      EXPECT_EQ(shorts[i], static_cast<std::int16_t>(numbers[i]));
    }
  });
}

#if defined(__x86_64__)
TEST(KernelsCast, floats_out_of_range_give_the_smallest_integer) {
  const float infinity = std::numeric_limits<float>::infinity();
  for_each_table([&](const Table& table) {
    // Enough of them to be converted by vectors and by the loop's tail.
    std::vector<float> in;
    for (int i = 0; i < 21; ++i) {
      for (const float x : {std::nanf(""), infinity, -infinity, 3e9f, -3e9f, 1e30f}) in.push_back(x);
    }
    std::vector<std::int32_t> as_int(in.size());
    std::vector<std::int64_t> as_long(in.size());
    std::vector<std::uint8_t> as_byte(in.size());
    std::vector<Bool> as_bool(in.size());
    table.cast[kIndex<float>][kIndex<std::int32_t>](as_int.data(), in.data(), in.size());
    table.cast[kIndex<float>][kIndex<std::int64_t>](as_long.data(), in.data(), in.size());
    table.cast[kIndex<float>][kIndex<std::uint8_t>](as_byte.data(), in.data(), in.size());
    table.cast[kIndex<float>][kIndex<Bool>](as_bool.data(), in.data(), in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
      const bool fits_long = std::fabs(in[i]) == 3e9f;
      EXPECT_EQ(as_int[i], std::numeric_limits<std::int32_t>::min()) << in[i];
      EXPECT_EQ(as_long[i], fits_long ? static_cast<std::int64_t>(in[i]) : std::numeric_limits<std::int64_t>::min());
      EXPECT_EQ(as_byte[i], 0) << in[i];
      EXPECT_EQ(as_bool[i].byte, 1) << in[i];
    }
    const float wrapping[] = {-1.5f, 300.7f, 255.9f};
    table.cast[kIndex<float>][kIndex<std::uint8_t>](as_byte.data(), wrapping, 3);
    EXPECT_EQ(as_byte[0], 255);
    EXPECT_EQ(as_byte[1], 44);
    EXPECT_EQ(as_byte[2], 255);
  });
}
#endif

}  // namespace
}  // namespace lamina::kernels

// Philox against published vectors, its distributions against their moments, and independence of how a draw is split.
#include <gtest/gtest.h>

#include <array>

#include "kernel_operands.h"

namespace lamina::kernels {
namespace {

using Block = std::array<std::uint32_t, 4>;

// As in the paper's text (Salmon et al. 2011, section 3.3), one block at a time.
Block philox(Block counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0], second = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(first)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

// The kernels' 64-bit word at `position` of the stream of a kind of number (see random.inc): groups of 16 words are
// words 0 and 1 of eight blocks, then words 2 and 3.
std::uint64_t word(std::uint64_t key, std::uint64_t position, std::uint32_t kind) {
  const std::uint64_t block = position / 16 * 8 + position % 8;
  const Block b = philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), kind, 0},
                         {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
  const std::size_t half = position % 16 < 8 ? 0 : 2;
  return b[half] | static_cast<std::uint64_t>(b[half + 1]) << 32;
}

constexpr std::uint64_t kKey = 0x0123456789abcdef;
// Where the block number's low 32 bits overflow, at some group's middle.
constexpr std::uint64_t kOffsets[] = {
    0, 1, 5, 16, 31, 1000003, (std::uint64_t{1} << 33) - 37, (std::uint64_t{1} << 34) - 71};

// The known-answer vectors of the authors' library (Random123, kat_vectors, philox4x32 10).
TEST(KernelsRandom, reference_has_the_known_answers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(KernelsRandom, bits_are_the_reference_s) {
  for_each_table([](const Table& table) {
    std::uint64_t first = 0;
    table.random_bits(&first, 1, 0, 0);
    EXPECT_EQ(first, 0xe169c58d6627e8d5u);
    for (const std::uint64_t offset : kOffsets) {
      Guarded<std::uint64_t> bits(100);
      table.random_bits(bits.data(), 100, kKey, offset);
      for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(bits[i], word(kKey, offset + i, 0)) << offset << " + " << i;
      EXPECT_TRUE(bits.intact());
    }
  });
}

TEST(KernelsRandom, uniform_numbers_are_the_words_upper_bits) {
  for_each_table([](const Table& table) {
    for (const std::uint64_t offset : kOffsets) {
      Guarded<float> floats(200);
      Guarded<double> doubles(200);
      table.uniform[kIndex<float>](floats.data(), 200, kKey, offset);
      table.uniform[kIndex<double>](doubles.data(), 200, kKey, offset);
      for (std::size_t i = 0; i < 200; ++i) {
        const std::uint64_t position = offset + i;
        const auto half = static_cast<std::uint32_t>(word(kKey, position / 2, 1) >> (position % 2 * 32));
        EXPECT_EQ(floats[i], static_cast<float>(half >> 8) * 0x1p-24f);
        EXPECT_EQ(doubles[i], static_cast<double>(word(kKey, position, 2) >> 11) * 0x1p-53);
      }
      EXPECT_TRUE(floats.intact() && doubles.intact());
    }
  });
}

TEST(KernelsRandom, normal_numbers_are_box_muller_s) {
  for_each_table([](const Table& table) {
    for (const std::uint64_t offset : kOffsets) {
      Guarded<float> floats(200);
      Guarded<double> doubles(200);
      table.normal[kIndex<float>](floats.data(), 200, kKey, offset);
      table.normal[kIndex<double>](doubles.data(), 200, kKey, offset);
      const double turn = 2 * std::acos(-1.0);
      for (std::size_t i = 0; i < 200; ++i) {
        const std::uint64_t position = offset + i;
        const auto coordinate = [&](double probability, double turns) {
          const double radius = std::sqrt(-2 * std::log(probability));
          return radius * (position % 2 == 0 ? std::cos(turn * turns) : std::sin(turn * turns));
        };
        // The two halves of a word make a float32 point; words b and b + 8 of a group make a float64 point.
        const std::uint64_t pair = word(kKey, position / 2, 3);
        const double probability = ((pair & 0xffffffff) >> 1) * 0x1p-31 + 0x1p-32;
        EXPECT_NEAR(floats[i], coordinate(probability, static_cast<double>(pair >> 40) * 0x1p-24), 2e-6);
        const std::uint64_t low = position / 16 * 16 + position % 16 / 2;
        const auto fraction = [](std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; };
        EXPECT_NEAR(doubles[i], coordinate(fraction(word(kKey, low, 4)) + 0x1p-54, fraction(word(kKey, low + 8, 4))),
                    1e-12);
      }
      EXPECT_TRUE(floats.intact() && doubles.intact());
    }
  });
}

// Draws [offset, offset + n) at once and in two parts.
template <class T, class Draw>
void expect_split_is_the_same(Draw draw) {
  for (const std::uint64_t offset : {0, 3, 40}) {
    std::vector<T> whole(150), parts(150);
    draw(whole.data(), whole.size(), offset);
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
      draw(parts.data(), cut, offset);
      draw(parts.data() + cut, parts.size() - cut, offset + cut);
      ASSERT_EQ(std::memcmp(whole.data(), parts.data(), whole.size() * sizeof(T)), 0) << offset << ", " << cut;
    }
  }
}

TEST(KernelsRandom, any_split_gives_the_same_numbers) {
  for_each_table([](const Table& table) {
    const auto of = [](auto kernel) {
      return [kernel](auto* out, std::size_t n, std::uint64_t offset) { kernel(out, n, kKey, offset); };
    };
    expect_split_is_the_same<std::uint64_t>(of(table.random_bits));
    expect_split_is_the_same<float>(of(table.uniform[kIndex<float>]));
    expect_split_is_the_same<double>(of(table.uniform[kIndex<double>]));
    expect_split_is_the_same<float>(of(table.normal[kIndex<float>]));
    expect_split_is_the_same<double>(of(table.normal[kIndex<double>]));
  });
}

template <class T>
void expect_moments(RandomFn kernel, const std::vector<double>& expected, double lowest, double highest) {
  const std::size_t n = 1000000;
  std::vector<T> x(n);
  kernel(x.data(), n, 12345, 0);
  std::vector<double> moments(expected.size());
  double correlation = 0;
  for (std::size_t i = 0; i < n; ++i) {
    ASSERT_TRUE(x[i] >= lowest && x[i] < highest) << x[i];
    double power = 1;
    for (double& moment : moments) moment += (power *= x[i]) / n;
    if (i > 0) correlation += (x[i] - expected[0]) * (x[i - 1] - expected[0]) / n;
  }
  // Six standard deviations of the fourth moment's estimate, the widest of them.
  for (std::size_t k = 0; k < moments.size(); ++k) EXPECT_NEAR(moments[k], expected[k], 0.06) << "moment " << k + 1;
  EXPECT_NEAR(moments[0], expected[0], 0.006);
  EXPECT_NEAR(correlation, 0, 0.006);
}

TEST(KernelsRandom, moments) {
  for_each_table([](const Table& table) {
    expect_moments<float>(table.uniform[kIndex<float>], {1 / 2.0, 1 / 3.0, 1 / 4.0, 1 / 5.0}, 0, 1);
    expect_moments<double>(table.uniform[kIndex<double>], {1 / 2.0, 1 / 3.0, 1 / 4.0, 1 / 5.0}, 0, 1);
    expect_moments<float>(table.normal[kIndex<float>], {0, 1, 0, 3}, -7, 7);
    expect_moments<double>(table.normal[kIndex<double>], {0, 1, 0, 3}, -9, 9);
  });
}

}  // namespace
}  // namespace lamina::kernels

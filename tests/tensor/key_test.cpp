#include "tensor/key.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <string>
#include <unordered_set>
#include <vector>

#include "tensor/error.h"
#include "tensor/philox.h"
#include "tensor/random.h"

namespace basin {
namespace {

// The known answers of Random123 1.09, file kat_vectors, philox4x32 with 10 rounds.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, 0, 0), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, kOnes, kOnes),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, RunsAtCompileTime) { static_assert(philox({0, 0, 0, 0}, 0, 0)[0] == 0x6627e8d5); }

TEST(Philox, StreamsUseTheLowCounterWordsAndBothKeyWords) {
  EXPECT_EQ(philox_block(0x299f31d0a4093822, 0x85a308d3243f6a88),
            philox({0x243f6a88, 0x85a308d3, 0, 0}, 0xa4093822, 0x299f31d0));
  EXPECT_EQ(philox_word(7, 4 * 11 + 2), philox_block(7, 11)[2]);
}

TEST(Key, IsAFunctionOfWhatItWasMadeFrom) {
  EXPECT_EQ(Key(7), Key(7));
  EXPECT_EQ(Key(7).fold("train").fold(3), Key(7).fold("train").fold(3));
  EXPECT_NE(Key(7), Key(8));
  EXPECT_NE(Key(7).fold("train"), Key(8).fold("train"));
}

// A checkpoint holds no generator state, so the numbers behind a seed may never change.
TEST(Key, StaysTheSameForEver) {
  EXPECT_EQ(Key(7).bits(), 0x182478209178C493u);
  EXPECT_EQ(Key(7).fold("gibbs").bits(), 0xF01BAF5877014D18u);
  EXPECT_EQ(Key(7).fold("a name of more than eight bytes").bits(), 0x2F2629FB7E5F3A62u);
  EXPECT_EQ(Key(7).fold(3).bits(), 0xB0708DAB4E64D281u);
}

TEST(Key, MindsTheOrderAndTheBordersOfNames) {
  const Key key(1);
  EXPECT_NE(key.fold("a").fold("b"), key.fold("b").fold("a"));
  EXPECT_NE(key.fold(1).fold(2), key.fold(2).fold(1));
  EXPECT_NE(key.fold("a").fold(1), key.fold(1).fold("a"));
  EXPECT_NE(key.fold("ab").fold("c"), key.fold("abc"));
  EXPECT_NE(key.fold("12345678").fold("9"), key.fold("123456789"));
  EXPECT_NE(key.fold(""), key);
  EXPECT_NE(key.fold(0), key);
}

TEST(Key, KeepsNamesAndNumbersApart) {
  const Key key(1);
  EXPECT_NE(key.fold(std::string_view("\x31", 1)), key.fold(0x31));
  EXPECT_NE(key.fold(""), key.fold(0));
  EXPECT_NE(key.fold("1"), key.fold(1));
  // Trailing zero bytes are part of a name.
  EXPECT_NE(key.fold(std::string_view("a\0", 2)), key.fold("a"));
  EXPECT_NE(Key(5), key.fold(5));
}

TEST(Key, IsDistinctOverManyFolds) {
  std::unordered_set<std::uint64_t> seen;
  const Key key(123);
  for (std::uint64_t i = 0; i < 100000; ++i) {
    seen.insert(Key(i).bits());
    seen.insert(key.fold(i).bits());
    seen.insert(key.fold(std::to_string(i)).bits());
    seen.insert(key.fold("a longer name than eight bytes " + std::to_string(i)).bits());
    seen.insert(key.fold(i).fold("h").bits());
  }
  // Five sets of 1e5 keys; the chance that two of 5e5 words of 64 bits agree is 7e-9.
  EXPECT_EQ(seen.size(), 500000u);
}

TEST(Key, ChangesEachBitHalfTheTime) {
  // Neighbouring folds differ in a binomial(64, 1/2) number of bits: over 2000 pairs the mean has a standard
  // error of 0.09.
  double flips = 0;
  for (std::uint64_t i = 0; i < 2000; ++i)
    flips += __builtin_popcountll(Key(9).fold(i).bits() ^ Key(9).fold(i + 1).bits());
  EXPECT_NEAR(flips / 2000, 32.0, 5 * 0.09);
}

TEST(Permutation, HoldsEveryNumberOnce) {
  for (const Index count : {0, 1, 2, 3, 1000}) {
    const std::vector<Index> order = permutation(Key(3), count);
    ASSERT_EQ(static_cast<Index>(order.size()), count);
    std::vector<bool> seen(order.size());
    for (const Index place : order) seen.at(static_cast<std::size_t>(place)) = true;
    EXPECT_EQ(std::accumulate(seen.begin(), seen.end(), Index{0}), count);
  }
}

TEST(Permutation, DependsOnTheKeyAlone) {
  EXPECT_EQ(permutation(Key(3), 100), permutation(Key(3), 100));
  EXPECT_NE(permutation(Key(3), 100), permutation(Key(4), 100));
  EXPECT_THROW(permutation(Key(3), -1), Error);
}

TEST(Permutation, GivesAllOrdersEquallyOften) {
  // 24 orders of 4, 24000 draws: each count has mean 1000 and standard deviation sqrt(1000 * 23 / 24) = 31.
  // chi^2 has 23 degrees of freedom: mean 23, standard deviation 6.8; we allow 5 of them.
  std::array<int, 256> counts{};
  for (std::uint64_t i = 0; i < 24000; ++i) {
    const std::vector<Index> order = permutation(Key(11).fold(i), 4);
    ++counts.at(static_cast<std::size_t>(order[0] + 4 * order[1] + 16 * order[2] + 64 * order[3]));
  }
  double chi2 = 0;
  int orders = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    ++orders;
    chi2 += (count - 1000.0) * (count - 1000.0) / 1000.0;
  }
  EXPECT_EQ(orders, 24);
  EXPECT_LT(chi2, 23 + 5 * 6.8);
}

}  // namespace
}  // namespace basin

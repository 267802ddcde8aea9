#include "results/paired_tests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tensor/error.h"

namespace basin {
namespace {

const std::vector<double> kA = {0.120, 0.131, 0.118, 0.125, 0.140, 0.122, 0.129, 0.135},
                          kB = {0.110, 0.133, 0.101, 0.120, 0.118, 0.119, 0.1205, 0.1405};
const std::vector<double> kX = {0.441, -0.331, 2.431,  -0.252, 0.11,   1.582, -0.909, -0.592,
                                0.188, -0.33,  -1.193, -0.205, -0.359, 0.603, -1.665, -0.7},
                          kY = {0.829,  -0.37, 2.579,  -0.433, 0.244,  1.807, -0.7,   -0.041,
                                -0.188, 0.289, -1.135, -0.198, -0.179, 0.86,  -1.434, -0.163};

// scipy.stats.ttest_rel of SciPy 1.10.
TEST(PairedTests, StudentsTest) {
  const PairedT test = paired_t(kA, kB);
  EXPECT_NEAR(test.t, -2.2279460667221267, 1e-12);
  EXPECT_NEAR(test.p, 0.06115593381799635, 1e-12);
  EXPECT_EQ(test.pairs, 8);
  EXPECT_NEAR(paired_t(kB, kA).t, -test.t, 1e-12);
  const std::vector<double> a(kA.begin(), kA.begin() + 2), b(kB.begin(), kB.begin() + 2);
  EXPECT_NEAR(paired_t(a, b).p, 0.6256659163780027, 1e-12);
  const PairedT longer = paired_t(kX, kY);
  EXPECT_NEAR(longer.t, 2.788849735563111, 1e-12);
  EXPECT_NEAR(longer.p, 0.013765858941366635, 1e-12);
}

TEST(PairedTests, StudentsTestAtItsEdges) {
  const std::vector<double> one = {1.0}, zeros = {0.0, 0.0}, ones = {1.0, 1.0};
  EXPECT_TRUE(std::isnan(paired_t(one, one).p));
  EXPECT_EQ(paired_t(zeros, zeros).p, 1.0);
  EXPECT_EQ(paired_t(zeros, ones).p, 0.0);
  EXPECT_EQ(paired_t(std::vector<double>(3, 0.3), std::vector<double>(3, 0.1 + 0.2)).p, 1.0);  // by rounding
  EXPECT_TRUE(std::isnan(paired_t(zeros, std::vector<double>{0.0, NAN}).p));
  EXPECT_THROW(paired_t(one, zeros), Error);
}

// scipy.stats.wilcoxon(mode="exact") of SciPy 1.10, samples without ties.
TEST(PairedTests, SignedRanksByTheExactDistribution) {
  const Wilcoxon test = wilcoxon(kA, kB);
  EXPECT_EQ(test.rank_sum, 5.0);
  EXPECT_NEAR(test.p, 0.078125, 1e-14);
  EXPECT_EQ(test.zeros + test.tied, 0);
  EXPECT_EQ(wilcoxon(kB, kA).rank_sum, 36.0 - 5.0);
  EXPECT_NEAR(wilcoxon(kB, kA).p, test.p, 1e-14);
  EXPECT_EQ(wilcoxon(kX, kY).rank_sum, 115.0);
  EXPECT_NEAR(wilcoxon(kX, kY).p, 0.013092041015625, 1e-14);
}

/// All ways to give the differences signs, by mean ranks counted pair by pair.
double enumerated_p(const std::vector<double>& differences) {
  const std::size_t n = differences.size();
  std::vector<double> ranks;
  for (const double d : differences) {
    double smaller = 0.0, equal = 0.0;
    for (const double other : differences) {
      smaller += std::abs(other) < std::abs(d);
      equal += std::abs(other) == std::abs(d);
    }
    ranks.push_back(smaller + (equal + 1.0) / 2.0);
  }
  const auto sum_of = [&](const auto& is_above) {
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += is_above(i) ? ranks[i] : 0.0;
    return sum;
  };
  const double own = sum_of([&](std::size_t i) { return differences[i] > 0.0; });
  double below = 0.0, above = 0.0;
  for (std::size_t signs = 0; signs < (std::size_t{1} << n); ++signs) {
    const double sum = sum_of([&](std::size_t i) { return (signs >> i & 1U) != 0; });
    below += sum <= own;
    above += sum >= own;
  }
  return std::min(1.0, 2.0 * std::min(below, above) / std::ldexp(1.0, static_cast<int>(n)));
}

TEST(PairedTests, SignedRanksWithTiesAndZerosEqualTheEnumeration) {
  for (const std::vector<double>& d :
       {std::vector<double>{1, 1, 2, -2, 3, 3, 3}, {-1, -1, -1, -1, -1, 2, 4}, {5, -5, 5, -5, 5, -5}}) {
    const std::vector<double> zeros(d.size());
    EXPECT_NEAR(wilcoxon(zeros, d).p, enumerated_p(d), 1e-14);
    EXPECT_EQ(wilcoxon(zeros, d).zeros, 0);
  }
  const Wilcoxon tied = wilcoxon(std::vector<double>(7), std::vector<double>{1, 1, 2, -2, 3, 3, 3});
  EXPECT_EQ(tied.tied, 7);
  // Pairs without a difference decide nothing, and are counted.
  const Wilcoxon test = wilcoxon(std::vector<double>(9), std::vector<double>{0, 1, 1, 2, 0, -2, 3, 3, 3});
  EXPECT_EQ(test.p, tied.p);
  EXPECT_EQ(test.zeros, 2);
  EXPECT_EQ(test.pairs, 9);
  EXPECT_EQ(wilcoxon(kA, kA).p, 1.0);
}

TEST(PairedTests, WhatRoundingAloneTellsApartIsTied) {
  const std::vector<double> a = {0.1, 0.3, 0.7, 0.2, 0.5, 0.9}, b = {0.2, 0.4, 0.8, 0.3, 0.6, 1.0};
  EXPECT_NE(0.2 - 0.1, 0.4 - 0.3);
  EXPECT_EQ(wilcoxon(a, b).tied, 6);
  EXPECT_NEAR(wilcoxon(a, b).p, 2.0 / 64.0, 1e-15);
  EXPECT_EQ(wilcoxon(std::vector<double>(6, 0.3), std::vector<double>(6, 0.1 + 0.2)).zeros, 6);
}

TEST(PairedTests, SignedRanksAreRefusedWithTheReason) {
  const std::vector<double> five = {1, 2, 3, 4, 5}, many(1001);
  try {
    wilcoxon(five, five);
    FAIL() << "five pairs";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("received 5; so few cannot give a p below 0.0625"),
              std::string::npos)
        << error.what();
  }
  EXPECT_THROW(wilcoxon(many, many), Error);
  EXPECT_THROW(wilcoxon(kA, kX), Error);
  std::vector<double> bad = kA;
  bad[3] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(wilcoxon(kA, bad), Error);
}

TEST(PairedTests, HolmsCorrectionByHand) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> p = {0.04, 0.01, nan, 0.03, 0.5};
  const std::vector<double> found = holm(p);
  EXPECT_DOUBLE_EQ(found[1], 0.04);  // 4 x 0.01
  EXPECT_DOUBLE_EQ(found[3], 0.09);  // 3 x 0.03
  EXPECT_DOUBLE_EQ(found[0], 0.09);  // 2 x 0.04, not below the one before
  EXPECT_DOUBLE_EQ(found[4], 0.5);
  EXPECT_TRUE(std::isnan(found[2]));
  EXPECT_EQ(holm(std::vector<double>{0.4, 0.9}), (std::vector<double>{0.8, 0.9}));
  EXPECT_EQ(holm(std::vector<double>{0.8, 0.9}), (std::vector<double>{1.0, 1.0}));
  EXPECT_TRUE(holm({}).empty());
  EXPECT_THROW(holm(std::vector<double>{1.5}), Error);
}

}  // namespace
}  // namespace basin

#include "results/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tensor/error.h"

namespace basin {
namespace {

TEST(Statistics, MeanAndDeviation) {
  const std::vector<double> numbers = {1.5, 2.25, -3.0, 4.0};
  EXPECT_DOUBLE_EQ(mean_of(numbers), 1.1875);
  EXPECT_NEAR(deviation_of(numbers), 2.981715110469141, 1e-15);  // numpy.std(ddof=1)
  EXPECT_TRUE(std::isnan(mean_of({})));
  EXPECT_TRUE(std::isnan(deviation_of(std::vector<double>{1.0})));
  EXPECT_EQ(deviation_of(std::vector<double>{1e9, 1e9, 1e9}), 0.0);
}

TEST(Statistics, PairedDifference) {
  const std::vector<double> first = {1.5, 2.25, -3.0, 4.0}, second = {2.0, 2.5, -1.0, 3.5};
  const PairedDifference difference = paired_difference(first, second);
  EXPECT_DOUBLE_EQ(difference.mean, 0.5625);
  EXPECT_NEAR(difference.standard_error, 0.5241560677253801, 1e-15);  // scipy.stats.sem
  EXPECT_EQ(difference.pairs, 4);
  EXPECT_THROW(paired_difference(first, std::vector<double>{1.0}), Error);
}

// scipy.stats.binomtest(min(b, c), b + c).pvalue of SciPy 1.10.
TEST(Statistics, McNemarIsTheExactBinomialTest) {
  EXPECT_NEAR(mcnemar(3, 10).p, 0.09228515625, 1e-13);
  EXPECT_NEAR(mcnemar(0, 5).p, 0.0625, 1e-14);
  EXPECT_EQ(mcnemar(7, 7).p, 1.0);
  EXPECT_EQ(mcnemar(1, 0).p, 1.0);
  EXPECT_EQ(mcnemar(0, 0).p, 1.0);
  EXPECT_NEAR(mcnemar(120, 165).p, 0.00903343004983534, 1e-12);
  EXPECT_NEAR(mcnemar(2200, 2000).p, 0.002132355671991246, 1e-11);
  EXPECT_THROW(mcnemar(-1, 2), Error);
}

TEST(Statistics, McNemarCountsWhatExactlyOneGetsRight) {
  const std::vector<std::int64_t> labels = {0, 1, 2, 0, 1, 2}, first = {0, 1, 0, 1, 1, 2},
                                  second = {0, 0, 2, 2, 0, 1};
  const McNemar test = mcnemar(labels, first, second);
  EXPECT_EQ(test.first_only, 3);
  EXPECT_EQ(test.second_only, 1);
  EXPECT_DOUBLE_EQ(test.p, 2.0 * 5.0 / 16.0);
  EXPECT_THROW(mcnemar(labels, first, std::vector<std::int64_t>{0}), Error);
}

}  // namespace
}  // namespace basin

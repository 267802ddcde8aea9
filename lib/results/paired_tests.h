#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace basin {

/// Student's test of numbers in pairs whose differences d = second - first are normal: t = mean(d) /
/// (deviation(d) / sqrt(n)) under n - 1 degrees of freedom, and its two-sided p. NaN of fewer than two pairs;
/// of differences that are all equal, t is infinite and p 0, or, where they are 0, t is 0 and p 1.
/// Reference: Student 1908, "The probable error of a mean".
struct PairedT {
  double t = 0.0, p = 1.0;
  std::int64_t pairs = 0;
};
/// Throws Error unless both have one length.
PairedT paired_t(std::span<const double> first, std::span<const double> second);

/// The signed-rank test of numbers in pairs: pairs without a difference are left out, the other differences
/// second - first are ranked by size, equal ones by the mean of their ranks, and `rank_sum` is the sum of the
/// ranks of those above 0. Its two-sided p is exact given those ranks: the share of the 2^n ways to give them
/// signs whose sum is as far out, doubled, at most 1. Differences within 1e-12 of the largest number count as
/// equal: what rounding alone tells apart.
/// Reference: Wilcoxon 1945, "Individual comparisons by ranking methods".
struct Wilcoxon {
  double rank_sum = 0.0, p = 1.0;
  std::int64_t pairs = 0;
  std::int64_t zeros = 0;  // pairs that were left out
  std::int64_t tied = 0;   // differences that share their rank with another
};
/// Fewer pairs than kLeastWilcoxonPairs decide nothing: of 5, the most extreme p is 2 / 2^5 = 0.0625.
inline constexpr std::int64_t kLeastWilcoxonPairs = 6;
/// Throws Error unless both have one length, for numbers that are not finite, below the least number of
/// pairs, and beyond 1000, where the exact distribution takes too long.
Wilcoxon wilcoxon(std::span<const double> first, std::span<const double> second);

/// The p of several tests, corrected such that the chance of even one false alarm among them stays below the
/// level: of m, the i-th smallest becomes max over j <= i of min(1, (m - j + 1) p_(j)). In their order; NaN
/// (no test) stays and does not count. Reference: Holm 1979, "A simple sequentially rejective multiple test
/// procedure". Throws Error for p outside [0, 1].
std::vector<double> holm(std::span<const double> p);

}  // namespace basin

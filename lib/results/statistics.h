#pragma once

#include <cstdint>
#include <span>

namespace basin {

/// Mean of numbers; NaN of none.
double mean_of(std::span<const double> numbers);

/// Standard deviation of a sample, sqrt(sum (x - mean)^2 / (n - 1)); NaN of fewer than two numbers.
double deviation_of(std::span<const double> numbers);

/// Numbers in pairs: the mean of second - first and its standard error, deviation / sqrt(n).
struct PairedDifference {
  double mean = 0.0, standard_error = 0.0;
  std::int64_t pairs = 0;
};
/// Throws Error unless both have one length.
PairedDifference paired_difference(std::span<const double> first, std::span<const double> second);

/// Two classifiers on the same samples: of those that exactly one of them gets right, how many are the
/// first's, how many the second's, and the exact two-sided p of such a split under a fair coin,
///   p = min(1, 2 sum_{k <= min(b, c)} binomial(b + c, k) / 2^(b + c)).
/// Reference: McNemar 1947, "Note on the sampling error of the difference between correlated proportions".
struct McNemar {
  std::int64_t first_only = 0, second_only = 0;
  double p = 1.0;
};
McNemar mcnemar(std::int64_t first_only, std::int64_t second_only);
/// Of labels [N] and predictions [N] of both. Throws Error unless all have one length.
McNemar mcnemar(std::span<const std::int64_t> labels, std::span<const std::int64_t> first,
                std::span<const std::int64_t> second);

}  // namespace basin

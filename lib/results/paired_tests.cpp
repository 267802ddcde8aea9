#include "results/paired_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "results/statistics.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Twice the rank of each size, that is whole where equal ones share the mean of theirs: sizes rising, the
/// place of the first of equals and of the last, counted from 1, added up.
std::vector<std::size_t> doubled_ranks(const std::vector<double>& rising, double equal) {
  std::vector<std::size_t> ranks(rising.size());
  for (std::size_t first = 0; first < rising.size();) {
    std::size_t end = first + 1;
    while (end < rising.size() && rising[end] - rising[end - 1] <= equal) ++end;
    for (std::size_t i = first; i < end; ++i) ranks[i] = (first + 1) + end;
    first = end;
  }
  return ranks;
}

/// The chance of each sum of the ranks that a fair coin picks.
std::vector<double> chances_of_sums(const std::vector<std::size_t>& ranks) {
  std::vector<double> chance(std::accumulate(ranks.begin(), ranks.end(), std::size_t{1}));
  chance[0] = 1.0;
  std::size_t most = 0;
  for (const std::size_t rank : ranks) {
    most += rank;
    for (std::size_t sum = most + 1; sum-- > 0;)
      chance[sum] = 0.5 * (chance[sum] + (sum >= rank ? chance[sum - rank] : 0.0));
  }
  return chance;
}

/// Differences up to this are taken for none: 1e-12 of the largest number.
double rounding(std::span<const double> first, std::span<const double> second) {
  double largest = 0.0;
  for (const auto& numbers : {first, second}) {
    for (const double number : numbers) largest = std::max(largest, std::abs(number));
  }
  return 1e-12 * largest;
}

}  // namespace

PairedT paired_t(std::span<const double> first, std::span<const double> second) {
  PairedDifference d = paired_difference(first, second);
  const double nothing = rounding(first, second);
  if (std::abs(d.mean) <= nothing) d.mean = 0.0;
  if (d.standard_error <= nothing) d.standard_error = 0.0;
  if (d.pairs < 2) return {.t = kNaN, .p = kNaN, .pairs = d.pairs};
  if (d.mean == 0.0) return {.pairs = d.pairs};
  const double t = d.mean / d.standard_error;
  if (std::isnan(t)) return {.t = kNaN, .p = kNaN, .pairs = d.pairs};
  if (std::isinf(t)) return {.t = t, .p = 0.0, .pairs = d.pairs};
  const boost::math::students_t distribution(static_cast<double>(d.pairs - 1));
  return {.t = t, .p = 2.0 * boost::math::cdf(distribution, -std::abs(t)), .pairs = d.pairs};
}

Wilcoxon wilcoxon(std::span<const double> first, std::span<const double> second) {
  constexpr std::int64_t kMost = 1000;
  if (first.size() != second.size())
    throw Error(
        fmt::format("[wilcoxon] expected numbers in pairs, received {} and {}", first.size(), second.size()));
  const auto pairs = static_cast<std::int64_t>(first.size());
  if (pairs < kLeastWilcoxonPairs || pairs > kMost)
    throw Error(fmt::format(
        "[wilcoxon] expected {} to {} pairs, received {}; {}", kLeastWilcoxonPairs, kMost, pairs,
        pairs > kMost
            ? "take the paired t test"
            : fmt::format("so few cannot give a p below {:.3g}: run more seeds, or take the paired t test",
                          std::ldexp(1.0, 1 - static_cast<int>(pairs)))));
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!std::isfinite(first[i]) || !std::isfinite(second[i]))
      throw Error(fmt::format("[wilcoxon] expected finite numbers, received {} and {}", first[i], second[i]));
  }
  const double equal = rounding(first, second);
  std::vector<double> differences;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (const double d = second[i] - first[i]; std::abs(d) > equal) differences.push_back(d);
  }
  std::ranges::sort(differences, {}, [](double d) { return std::abs(d); });
  std::vector<double> sizes;
  for (const double d : differences) sizes.push_back(std::abs(d));
  const std::vector<std::size_t> ranks = doubled_ranks(sizes, equal);

  std::size_t above = 0;  // doubled
  Wilcoxon test{.pairs = pairs, .zeros = pairs - static_cast<std::int64_t>(differences.size())};
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    above += differences[i] > 0.0 ? ranks[i] : 0;
    test.tied += std::ranges::count(ranks, ranks[i]) > 1;
  }
  const std::vector<double> chance = chances_of_sums(ranks);
  const auto at = chance.begin() + static_cast<std::ptrdiff_t>(above);
  const double below = std::accumulate(chance.begin(), at + 1, 0.0),
               beyond = std::accumulate(at, chance.end(), 0.0);
  test.rank_sum = static_cast<double>(above) / 2.0;
  test.p = std::min(1.0, 2.0 * std::min(below, beyond));
  return test;
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (std::isnan(p[i])) continue;
    if (!(p[i] >= 0.0 && p[i] <= 1.0))
      throw Error(fmt::format("[holm] expected p in [0, 1], received {}", p[i]));
    order.push_back(i);
  }
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p[i]; });
  std::vector<double> corrected(p.begin(), p.end());
  double least = 0.0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    least = std::max(least, std::min(1.0, static_cast<double>(order.size() - k) * p[order[k]]));
    corrected[order[k]] = least;
  }
  return corrected;
}

}  // namespace basin

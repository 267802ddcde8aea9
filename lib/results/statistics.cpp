#include "results/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "tensor/error.h"

namespace basin {
namespace {

void expect_one_length(const char* who, std::size_t a, std::size_t b) {
  if (a != b) throw Error(fmt::format("[{}] expected numbers in pairs, received {} and {}", who, a, b));
}

}  // namespace

double mean_of(std::span<const double> numbers) {
  if (numbers.empty()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0.0;
  for (const double number : numbers) sum += number;
  return sum / static_cast<double>(numbers.size());
}

double deviation_of(std::span<const double> numbers) {
  if (numbers.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double mean = mean_of(numbers);
  double squares = 0.0;
  for (const double number : numbers) squares += (number - mean) * (number - mean);
  return std::sqrt(squares / static_cast<double>(numbers.size() - 1));
}

PairedDifference paired_difference(std::span<const double> first, std::span<const double> second) {
  expect_one_length("paired_difference", first.size(), second.size());
  std::vector<double> differences(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) differences[i] = second[i] - first[i];
  return {.mean = mean_of(differences),
          .standard_error = deviation_of(differences) / std::sqrt(static_cast<double>(first.size())),
          .pairs = static_cast<std::int64_t>(first.size())};
}

McNemar mcnemar(std::int64_t first_only, std::int64_t second_only) {
  if (first_only < 0 || second_only < 0)
    throw Error(
        fmt::format("[mcnemar] expected counts of at least 0, received {} and {}", first_only, second_only));
  const auto n = static_cast<double>(first_only + second_only);
  double tail = 0.0;
  for (std::int64_t i = 0; i <= std::min(first_only, second_only); ++i) {
    const auto k = static_cast<double>(i);
    tail += std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) -
                     n * std::numbers::ln2);
  }
  return {.first_only = first_only, .second_only = second_only, .p = std::min(1.0, 2.0 * tail)};
}

McNemar mcnemar(std::span<const std::int64_t> labels, std::span<const std::int64_t> first,
                std::span<const std::int64_t> second) {
  expect_one_length("mcnemar", labels.size(), first.size());
  expect_one_length("mcnemar", labels.size(), second.size());
  std::int64_t first_only = 0, second_only = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const bool a = first[n] == labels[n], b = second[n] == labels[n];
    first_only += a && !b;
    second_only += b && !a;
  }
  return mcnemar(first_only, second_only);
}

}  // namespace basin

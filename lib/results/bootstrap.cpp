#include "results/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tensor/error.h"
#include "tensor/philox.h"

namespace basin {
namespace {

/// Calls take(i) for `count` numbers below `count`, each as likely as any other.
template <class Take>
void draw_with_replacement(Key key, std::size_t count, Take take) {
  PhiloxBlock words{};
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 4 == 0) words = philox_block(key.bits(), i / 4);
    take(static_cast<std::size_t>((std::uint64_t{words[i % 4]} * count) >> 32));
  }
}

void check(std::span<const std::vector<double>> runs, std::span<const double> weights,
           const BootstrapOptions& options) {
  const auto fail = [](const std::string& what) { throw Error("[bootstrap] expected " + what); };
  if (options.draws < 100 || !(options.level > 0.0 && options.level < 1.0))
    fail(fmt::format("at least 100 draws and a level in (0, 1), received {} and {}", options.draws,
                     options.level));
  if (runs.empty() || runs.front().empty()) fail("at least one run and one example, received none");
  const std::size_t count = runs.front().size();
  if (!weights.empty() && weights.size() != count)
    fail(fmt::format("a weight for each of {} examples, received {}", count, weights.size()));
  if (!std::ranges::all_of(weights, [](double w) { return w > 0.0 && std::isfinite(w); }))
    fail("weights above 0, received others");
  for (const std::vector<double>& run : runs) {
    if (run.size() != count)
      fail(fmt::format("runs on the same examples, received {} and {}", count, run.size()));
    if (!std::ranges::all_of(run, [](double v) { return std::isfinite(v); }))
      fail("finite numbers, received others");
  }
}

/// The place between two numbers of a rising list that a share of it lies below.
double quantile(const std::vector<double>& rising, double share) {
  const double at = share * static_cast<double>(rising.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const double next = rising[std::min(low + 1, rising.size() - 1)];
  return rising[low] + (at - static_cast<double>(low)) * (next - rising[low]);
}

}  // namespace

BootstrapMean bootstrap_mean(std::span<const std::vector<double>> runs, std::span<const double> weights,
                             const BootstrapOptions& options) {
  check(runs, weights, options);
  const std::size_t examples = runs.front().size();
  const auto weight = [&](std::size_t n) { return weights.empty() ? 1.0 : weights[n]; };
  std::vector<double> means(static_cast<std::size_t>(options.draws));
#pragma omp parallel
  {
    std::vector<double> sums(examples);  // of an example over the runs that were drawn
#pragma omp for schedule(static)
    for (std::int64_t i = 0; i < options.draws; ++i) {
      const Key key = options.key.fold(static_cast<std::uint64_t>(i));
      std::ranges::fill(sums, 0.0);
      draw_with_replacement(key.fold("runs"), runs.size(), [&](std::size_t run) {
        for (std::size_t n = 0; n < examples; ++n) sums[n] += runs[run][n];
      });
      double sum = 0.0, weighed = 0.0;
      draw_with_replacement(key.fold("examples"), examples, [&](std::size_t n) {
        sum += sums[n];
        weighed += weight(n);
      });
      means[static_cast<std::size_t>(i)] = sum / (weighed * static_cast<double>(runs.size()));
    }
  }
  BootstrapMean found;
  double sum = 0.0, weighed = 0.0;
  for (std::size_t n = 0; n < examples; ++n) {
    weighed += weight(n);
    for (const std::vector<double>& run : runs) sum += run[n];
  }
  found.mean = sum / (weighed * static_cast<double>(runs.size()));
  std::ranges::sort(means);
  found.low = quantile(means, (1.0 - options.level) / 2.0);
  found.high = quantile(means, (1.0 + options.level) / 2.0);
  const auto up = std::ranges::count_if(means, [](double mean) { return mean >= 0.0; }),
             down = std::ranges::count_if(means, [](double mean) { return mean <= 0.0; });
  found.p = std::min(1.0, 2.0 * (1.0 + static_cast<double>(std::min(up, down))) /
                              (1.0 + static_cast<double>(options.draws)));
  return found;
}

}  // namespace basin

#include "energy/sample/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "tensor/error.h"
#include "tensor/normal_quantile.h"

namespace basin {
namespace {

constexpr Index kLeastDraws = 8;  // halves of four
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Numbers = std::vector<double>;

/// Sequences of one length, one after another.
struct Sequences {
  Index length = 0;
  Numbers numbers;

  Index count() const { return static_cast<Index>(numbers.size()) / length; }
  std::span<const double> operator[](Index i) const {
    return {numbers.data() + i * length, static_cast<std::size_t>(length)};
  }
};

/// Numbers [draws, chains, scalars] of one scalar, chain by chain.
Sequences chains_of(const Numbers& all, Index draws, Index chains, Index scalars, Index scalar) {
  Sequences result{draws, Numbers(static_cast<std::size_t>(draws * chains))};
  for (Index t = 0; t < draws; ++t) {
    for (Index c = 0; c < chains; ++c) {
      const double number = all[static_cast<std::size_t>((t * chains + c) * scalars + scalar)];
      if (!std::isfinite(number)) {
        throw Error(
            fmt::format("[mixing] expected finite numbers, received {} as draw {} of chain {}; the chain has "
                        "diverged: take a smaller step",
                        number, t, c));
      }
      result.numbers[static_cast<std::size_t>(c * draws + t)] = number;
    }
  }
  return result;
}

void require_draws(const Tensor& draws, Index rank) {
  if (draws.defined() && draws.rank() == rank && draws.dim(0) >= kLeastDraws && draws.size() > 0) return;
  throw Error(fmt::format(
      "[mixing] expected draws [draws, chains{}], at least {} of a chain, received {}; take more draws",
      rank == 3 ? ", scalars" : "", kLeastDraws,
      draws.defined() ? "shape " + to_string(draws.shape()) : "an undefined tensor"));
}

/// Both halves of every chain; the middle draw of an odd number is in neither.
Sequences halves(const Sequences& chains) {
  const Index length = chains.length / 2;
  Sequences result{length, {}};
  for (Index c = 0; c < chains.count(); ++c) {
    const std::span<const double> chain = chains[c];
    result.numbers.insert(result.numbers.end(), chain.begin(), chain.begin() + length);
    result.numbers.insert(result.numbers.end(), chain.end() - length, chain.end());
  }
  return result;
}

/// Sequences around their own means, and these. A sequence of one number is 0 to the last bit.
struct Centred {
  Sequences around;
  Numbers means;
};

Centred centred(const Sequences& sequences) {
  Centred result{sequences, {}};
  for (Index i = 0; i < sequences.count(); ++i) {
    const std::span<double> own(result.around.numbers.data() + i * sequences.length,
                                static_cast<std::size_t>(sequences.length));
    const double first = own.front();
    for (double& number : own) number -= first;
    const double mean = std::accumulate(own.begin(), own.end(), 0.0) / static_cast<double>(own.size());
    for (double& number : own) number -= mean;
    result.means.push_back(first + mean);
  }
  return result;
}

/// gamma_lag, the mean over sequences of sum_s x_s x_s+lag / n.
double autocovariance(const Sequences& centred, Index lag) {
  double sum = 0.0;
  for (Index i = 0; i < centred.count(); ++i) {
    const std::span<const double> x = centred[i];
    sum += std::inner_product(x.begin() + lag, x.end(), x.begin(), 0.0);
  }
  return sum / static_cast<double>(centred.numbers.size());
}

double variance_of(const Numbers& numbers) {
  const double n = static_cast<double>(numbers.size());
  const double mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / n;
  double squares = 0.0;
  for (const double number : numbers) squares += (number - mean) * (number - mean);
  return squares / (n - 1.0);
}

/// W and var+ of halves, of which there are two or more.
struct Variances {
  double within, total;
};

Variances variances(const Centred& halves) {
  const double n = static_cast<double>(halves.around.length);
  const double biased = autocovariance(halves.around, 0);
  return {biased * n / (n - 1.0), biased + variance_of(halves.means)};
}

/// tau by Geyer's initial monotone sequence; pairs beyond it are never computed.
double autocorrelation_time(const Centred& halves, const Variances& v, Index total) {
  const auto rho = [&](Index lag) {
    return lag == 0 ? 1.0 : 1.0 - (v.within - autocovariance(halves.around, lag)) / v.total;
  };
  double sum = 0.0, before = std::numeric_limits<double>::infinity();
  for (Index lag = 0; lag + 1 < halves.around.length; lag += 2) {
    const double pair = std::min(before, rho(lag) + rho(lag + 1));
    if (pair <= 0.0) break;
    sum += pair;
    before = pair;
  }
  return std::max(-1.0 + 2.0 * sum, 1.0 / std::log10(static_cast<double>(total)));
}

/// Normal scores of all numbers by their ranks; equal numbers share their mean rank.
Sequences normal_scores(const Sequences& sequences) {
  std::vector<std::pair<double, std::size_t>> order;
  order.reserve(sequences.numbers.size());
  for (const double number : sequences.numbers) order.emplace_back(number, order.size());
  std::sort(order.begin(), order.end());
  Sequences scores{sequences.length, Numbers(order.size())};
  const double n = static_cast<double>(order.size()) + 0.25;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && order[end].first == order[begin].first) ++end;
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    const double score = normal_quantile((rank - 0.375) / n, (n - rank + 0.375) / n);
    for (; begin < end; ++begin) scores.numbers[order[begin].second] = score;
  }
  return scores;
}

/// sqrt(var+ / W); NaN where nothing varies.
double r_hat_of(const Sequences& scores) {
  const Variances v = variances(centred(scores));
  return std::sqrt(v.total / v.within);
}

double median_of(Numbers numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  if (numbers.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(numbers.begin(), middle));
}

double larger_r_hat(const Sequences& halves) {
  const double plain = r_hat_of(normal_scores(halves));
  Sequences folded = halves;
  const double median = median_of(halves.numbers);
  for (double& number : folded.numbers) number = std::abs(number - median);
  const double scale = r_hat_of(normal_scores(folded));
  // A scalar of two values has one distance from its median.
  return std::isnan(scale) ? plain : std::max(plain, scale);
}

bool is_constant(const Numbers& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [&](double x) { return x == numbers.front(); });
}

Mixing mixing_of(const Sequences& chains) {
  Mixing result{.draws = chains.length, .chains = chains.count()};
  const Centred whole = centred(chains);
  result.mean =
      std::accumulate(whole.means.begin(), whole.means.end(), 0.0) / static_cast<double>(whole.means.size());
  if (is_constant(chains.numbers)) {
    result.mean = chains.numbers.front();
    result.autocorrelation_time = result.effective_samples = result.standard_error = result.r_hat = kNan;
    return result;
  }
  const Sequences parts = halves(chains);
  const Centred around = centred(parts);
  const Variances v = variances(around);
  const auto total = static_cast<Index>(chains.numbers.size());
  result.deviation = std::sqrt(v.total);
  result.autocorrelation_time = v.total > 0.0 ? autocorrelation_time(around, v, total) : kNan;
  result.effective_samples = static_cast<double>(total) / result.autocorrelation_time;
  result.standard_error = result.deviation / std::sqrt(result.effective_samples);
  result.r_hat = larger_r_hat(parts);
  return result;
}

}  // namespace

Mixing mixing(const Tensor& draws) {
  require_draws(draws, 2);
  return mixing_of(chains_of(draws.values(), draws.dim(0), draws.dim(1), 1, 0));
}

std::vector<Mixing> mixing_of_each(const Tensor& draws) {
  require_draws(draws, 3);
  const Numbers all = draws.values();
  std::vector<Mixing> result;
  for (Index k = 0; k < draws.dim(2); ++k)
    result.push_back(mixing_of(chains_of(all, draws.dim(0), draws.dim(1), draws.dim(2), k)));
  return result;
}

std::vector<double> autocorrelations(const Tensor& draws, Index lags) {
  require_draws(draws, 2);
  if (lags < 0 || lags >= draws.dim(0)) {
    throw Error(fmt::format("[mixing] expected 0 <= lags < {} draws, received {}; take fewer lags",
                            draws.dim(0), lags));
  }
  Sequences chains = chains_of(draws.values(), draws.dim(0), draws.dim(1), 1, 0);
  if (is_constant(chains.numbers)) return Numbers(static_cast<std::size_t>(lags + 1), kNan);
  const double mean = std::accumulate(chains.numbers.begin(), chains.numbers.end(), 0.0) /
                      static_cast<double>(chains.numbers.size());
  for (double& number : chains.numbers) number -= mean;
  Numbers rho;
  for (Index lag = 0; lag <= lags; ++lag)
    rho.push_back(autocovariance(chains, lag) / (lag == 0 ? 1.0 : rho.front()));
  rho.front() = 1.0;
  return rho;
}

}  // namespace basin

#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "energy/factors/network.h"
#include "energy/sample/sample_run.h"
#include "modules/function.h"
#include "oracle.h"

/// Targets whose moments are known, and what draws say of them.
namespace basin::test {

/// A graph over real variables and the first two moments of exp(-E) in their units, side by side.
struct GaussianTarget {
  FactorGraph graph;
  Block block;
  std::vector<double> mean;
  std::vector<double> covariance;  // [D, D]
};

/// [N, D] of all variables of a block.
inline Value units_of(const Block& block, const State& state) {
  std::vector<Value> parts;
  for (const Variable& variable : block) parts.push_back(flatten(state[variable].detached()));
  return concat(parts, 1);
}

/// E = 1/2 |A (x - m)|^2 with a lower triangular A, over variables of the given sizes: the covariance is
/// A^-1 A^-T.
inline GaussianTarget gaussian_target(const std::vector<Index>& sizes, const std::vector<double>& a,
                                      std::vector<double> mean, Placement placement) {
  GaussianTarget made;
  Index d = 0;
  for (const Index size : sizes) {
    made.block.push_back(made.graph.real(std::string(1, static_cast<char>('x' + made.block.size())), {size}));
    d += size;
  }
  const Tensor matrix = Tensor::from(a, {d, d}, placement), centre = Tensor::from(mean, {1, d}, placement);
  made.graph.add(Network(Function([matrix, centre](const Value& x, const Context&) {
                           // Constructed once on any placement, to learn its shape.
                           const Value at = matrix.to(x.placement()), m = centre.to(x.placement());
                           const Value u = matmul(flatten(x) - m, at, {.transpose_b = true});
                           return reshape(0.5 * sum_per_sample(square(u)), {x.dim(0), 1});
                         }),
                         made.block));
  // Columns of A^-1 by forward substitution.
  const auto n = static_cast<std::size_t>(d);
  std::vector<double> inverse(n * n, 0.0);
  for (std::size_t column = 0; column < n; ++column) {
    for (std::size_t i = 0; i < n; ++i) {
      double rest = i == column ? 1.0 : 0.0;
      for (std::size_t j = 0; j < i; ++j) rest -= a[i * n + j] * inverse[j * n + column];
      inverse[i * n + column] = rest / a[i * n + i];
    }
  }
  made.covariance.assign(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t k = 0; k < n; ++k)
        made.covariance[i * n + j] += inverse[i * n + k] * inverse[j * n + k];
  made.mean = std::move(mean);
  return made;
}

/// Deviations from known means, and their products: [N, D + D (D + 1) / 2]; of neighbours alone where D is
/// large.
inline Watch watched_moments(const GaussianTarget& target, std::size_t reach) {
  return [&target, reach](const FactorGraph&, const State& state) {
    const std::vector<Value> units = unstack(units_of(target.block, state), 1);
    std::vector<Value> centred, all;
    for (std::size_t i = 0; i < units.size(); ++i) centred.push_back(units[i] - target.mean[i]);
    all = centred;
    for (std::size_t i = 0; i < units.size(); ++i)
      for (std::size_t j = i; j < std::min(units.size(), i + reach); ++j)
        all.push_back(centred[i] * centred[j]);
    return stack(all, 1);
  };
}

/// The furthest that a mean of draws is from what it should be, in its own standard errors, and the fewest
/// effective samples of any.
struct Verdict {
  double worst = 0.0, samples = INFINITY, r_hat = 0.0;
};

inline Verdict verdict(const std::vector<Mixing>& found, const std::vector<double>& expected) {
  Verdict result;
  for (std::size_t k = 0; k < found.size(); ++k) {
    result.worst = std::max(result.worst, std::abs(found[k].mean - expected[k]) / found[k].standard_error);
    result.samples = std::min(result.samples, found[k].effective_samples);
    result.r_hat = std::max(result.r_hat, found[k].r_hat);
  }
  return result;
}

inline Verdict verdict(const GaussianTarget& target, const Transition& transition, const State& start,
                       SampleOptions options, std::size_t reach = 1000) {
  options.watch = {{"moments", watched_moments(target, reach)}};
  const SampleRun run = sample(transition, target.graph, start, options);
  const std::size_t n = target.mean.size();
  std::vector<double> expected(n, 0.0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i; j < std::min(n, i + reach); ++j) expected.push_back(target.covariance[i * n + j]);
  return verdict(mixing_of_each(run.watched.at("moments")), expected);
}

}  // namespace basin::test

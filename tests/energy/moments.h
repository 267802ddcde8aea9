#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "energy/sample/sample_run.h"
#include "oracle.h"

/// Whether samplers of what can be enumerated are exact.
namespace basin::test {

/// The worst error of marginals and two-point moments, in standard errors, and the fewest effective samples
/// of any of them.
struct MomentErrors {
  double worst = 0.0, effective_samples = INFINITY;
};

inline MomentErrors moment_errors(const Transition& move, const FactorGraph& graph, const State& start,
                                  const Distribution& exact, const Block& block, SampleOptions options) {
  // x_i x_j of all numbers of the block, [N, D D]; x_i x_i = x_i.
  const auto products = [&](const FactorGraph&, const State& state) {
    std::vector<Value> parts;
    for (const Variable& variable : block) parts.push_back(flatten(state[variable].detached()));
    const Value x = concat(parts, 1);
    const Index n = x.dim(0), d = x.dim(1);
    return reshape(reshape(x, {n, d, 1}) * reshape(x, {n, 1, d}), {n, d * d});
  };
  options.watch["products"] = products;
  const SampleRun run = sample(move, graph, start, options);
  const Value states = products(graph, exact.states);
  const std::vector<double> of_states = states.tensor().values();
  const auto count = static_cast<std::size_t>(states.dim(1));
  const std::vector<Mixing> found = mixing_of_each(run.watched.at("products"));
  MomentErrors errors;
  for (std::size_t k = 0; k < count; ++k) {
    double p = 0.0;
    for (std::size_t s = 0; s < exact.weight.size(); ++s) p += exact.weight[s] * of_states[s * count + k];
    if (p < 1e-12 || p > 1.0 - 1e-12) {  // two values of one group
      EXPECT_NEAR(found[k].mean, p, 1e-12);
      continue;
    }
    errors.worst = std::max(errors.worst, std::abs(found[k].mean - p) / found[k].standard_error);
    errors.effective_samples = std::min(errors.effective_samples, found[k].effective_samples);
  }
  return errors;
}

}  // namespace basin::test

#include "energy/likelihood/deep_bound.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {

Value deep_log_weights(const DeepBelief& net, const State& samples, Key key) {
  require_fits(net);
  const std::vector<Value> x = ascend(net, samples, key);
  const auto with = [&](const Variable& variable, std::size_t i) {
    return samples.like().set(variable, as_values(variable, x[i]));
  };
  Value log_w = -free_energy(net.top, net.latents, with(net.visible, net.layers.size()));
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    const BeliefLayer& layer = net.layers[i];
    const State below = with(layer.below, i), above = with(layer.above, i + 1);
    log_w = log_w + free_energy(layer.generation, {layer.below}, above) -
            free_energy(layer.up(), {layer.above}, below);
    if (layer.recognition) {
      const State both = below.with(layer.above, above[layer.above]);
      log_w = log_w + layer.recognition->energy(both) - layer.generation.energy(both);
    }
  }
  return log_w;
}

std::vector<double> deep_log_weights(const DeepBelief& net, const State& samples, Index draws, Key key) {
  std::vector<double> all(static_cast<std::size_t>(samples.batch() * draws));
  for (Index d = 0; d < draws; ++d) {
    const std::vector<double> one =
        deep_log_weights(net, samples, key.fold(static_cast<std::uint64_t>(d))).detached().tensor().values();
    for (std::size_t n = 0; n < one.size(); ++n)
      all[n * static_cast<std::size_t>(draws) + static_cast<std::size_t>(d)] = one[n];
  }
  return all;
}

DeepBound deep_bound(const std::vector<double>& log_weights, Index draws, double log_z) {
  if (draws < 1 || log_weights.empty() || log_weights.size() % static_cast<std::size_t>(draws) != 0) {
    throw Error(
        fmt::format("[deep_bound] expected {} or more draws of each sample, received {} weights in all; draw "
                    "as many of each",
                    std::max<Index>(draws, 1), log_weights.size()));
  }
  DeepBound found;
  const auto count = static_cast<double>(log_weights.size()) / static_cast<double>(draws);
  double variance = 0.0;
  for (auto row = log_weights.begin(); row != log_weights.end(); row += draws) {
    const auto end = row + draws;
    const double highest = *std::max_element(row, end);
    double mean = 0.0, spread = 0.0, weight = 0.0;
    for (auto w = row; w != end; ++w) {
      mean += *w / static_cast<double>(draws);
      weight += std::exp(*w - highest) / static_cast<double>(draws);
    }
    for (auto w = row; w != end; ++w) spread += (*w - mean) * (*w - mean);
    found.bound += mean / count;
    found.importance += (highest + std::log(weight)) / count;
    variance += spread / static_cast<double>(draws * (draws - 1)) / (count * count);
  }
  found.bound -= log_z;
  found.importance -= log_z;
  found.standard_error = draws > 1 ? std::sqrt(variance) : std::numeric_limits<double>::infinity();
  return found;
}

}  // namespace basin

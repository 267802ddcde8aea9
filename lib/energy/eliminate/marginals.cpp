#include "energy/eliminate/marginals.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/eliminate/component_energy.h"
#include "energy/factors/linear_input.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// -d sum(eliminated) / d inputs of a graph with an input u to each latent, -u.z, at inputs of normal draws
/// times `noise`.
std::vector<Value> slopes(const FactorGraph& graph, const Block& latents, const State& rest,
                          const EliminateOptions& options, Elimination how, double noise = 0.0,
                          Key key = Key(0)) {
  FactorGraph with = graph;
  State at = outside(graph, {}, rest);
  std::vector<Value> leaves;
  const Index rows = rest.empty() ? 1 : rest.batch();
  const Placement placement = rest.empty() ? graph.placement() : rest.placement();
  for (const Variable& latent : resolved(graph, latents, rest)) {
    const Variable input = with.real(latent.name + ".input", latent.shape);
    with.add(LinearInput(latent, input));
    const auto first = static_cast<std::uint64_t>(rest.context().own_row() * input.size());
    const Value draws = normal(key.fold(input.name), batched(input, rows), placement, first);
    leaves.push_back(Value::leaf((draws * noise).tensor()));
    at.set(input, leaves.back());
  }
  const Value energy = how == Elimination::Sum ? free_energy(with, latents, at, options)
                                               : min_energy(with, latents, at, options);
  return grad(-sum(energy), leaves, {.differentiable = options.differentiable});
}

}  // namespace

std::vector<Value> marginals(const FactorGraph& graph, const Block& latents, const State& rest,
                             const EliminateOptions& options) {
  return slopes(graph, latents, rest, options, Elimination::Sum);
}

State most_probable(const FactorGraph& graph, const Block& latents, const State& rest,
                    const EliminateOptions& options) {
  const Value lowest = min_energy(graph, latents, rest, options).detached();
  const bool exact = lowest.placement().dtype == Dtype::F64;
  State best = rest;
  Value left = ones_like(lowest);  // rows whose state is not found yet
  // Equal energies share the slope; a little noise then tells them apart.
  constexpr int kTries = 4;
  for (int trial = 0; trial < kTries; ++trial) {
    const double noise = trial == 0 ? 0.0 : (exact ? 1e-9 : 1e-4) * std::pow(10.0, trial - 1);
    const std::vector<Value> found = slopes(graph, latents, rest, options, Elimination::Minimum, noise,
                                            Key(0).fold("ties").fold(static_cast<std::uint64_t>(trial)));
    for (std::size_t i = 0; i < latents.size(); ++i) {
      Value value = found[i].detached();
      if (latents[i].domain == Domain::Binary) value = step(value - 0.5);
      // A group without slope lies past a sequence's end.
      if (latents[i].domain == Domain::Categorical)
        value = largest(value, 1) * step(sum(value, {-1}, {.keep = true}) - 0.5);
      const Value now = per_sample(left, value);
      best.set(latents[i], trial == 0 ? value : now * value + (1.0 - now) * best[latents[i]]);
    }
    const Value above = graph.energy(best).detached() - lowest;
    left = step(above - (exact ? 1e-6 : 1e-3) * (1.0 + abs(lowest)));
    if (max(left, 0).item() == 0.0) return best;
  }
  throw Error(fmt::format(
      "[most_probable] expected a state of {} that attains the minimum, found none; is the energy "
      "in which they interact defined for inputs to its units?",
      to_string(latents)));
}

}  // namespace basin

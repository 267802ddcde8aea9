#include "energy/objectives/contrast/step_divergence.h"

#include "autograd/ops.h"

namespace basin {

bool covers(const StepBipartite& pattern, const ContrastTerms& terms) {
  const Chains* chains = terms.chains();
  if (!std::holds_alternative<Exact>(terms.positive) || chains == nullptr || terms.freed.size() != 1 ||
      terms.options.centring > 0.0 || terms.options.sparsity.cost > 0.0 || chains->options.persistent != 0)
    return false;
  const std::vector<Block>* blocks = chains->transition->gibbs_blocks();
  const int side = pattern.side(terms.freed.front());
  if (blocks == nullptr || side < 0) return false;
  const Block latents{pattern.sides[static_cast<std::size_t>(1 - side)]};
  if (chains->options.eliminated && *chains->options.eliminated != latents) return false;
  return *blocks == std::vector<Block>{latents, terms.freed};
}

ContrastStatistics step_divergence(const FactorGraph& graph, const StepBipartite& pattern,
                                   const ContrastTerms& terms, const PhaseCall& freed,
                                   const EvaluateOptions& options) {
  const State& batch = freed.start;
  const int v = pattern.side(terms.freed.front()), h = 1 - v;
  const StepMachines machines(graph, pattern, batch);
  const Value data = machines.rows_of(batch[terms.freed.front()]).detached();
  const Tensor hidden({machines.rows(), machines.units(h)}, data.placement());
  const Tensor chain({machines.rows(), machines.units(v)}, data.placement());
  const Key gibbs = freed.key.fold("gibbs");
  for (Index i = 0; i < terms.chains()->options.steps; ++i) {
    const Key sweep = gibbs.fold(static_cast<std::uint64_t>(i));
    machines.draw(h, i == 0 ? data.tensor() : chain, sweep.fold(std::uint64_t{0}), hidden);
    machines.draw(v, hidden, sweep.fold(std::uint64_t{1}), chain);
  }
  const Value loss = (sum(machines.free_energy(v, data)) - sum(machines.free_energy(v, chain))) *
                     (1.0 / static_cast<double>(batch.batch()));
  ContrastStatistics result;
  result.data = batch;
  if (options.metrics) result.loss = loss.item();
  result.means.resize(graph.variables().size());
  result.gradients =
      differentiate(loss, graph, batch.batch(), {.metrics = false, .wants = options.wants}).gradients;
  return result;
}

}  // namespace basin

#include "energy/likelihood/anneal.h"

#include <fmt/format.h>

#include <algorithm>

#include "energy/eliminate/eliminate.h"
#include "energy/likelihood/finish_estimate.h"
#include "energy/sample/block_gibbs.h"
#include "tensor/error.h"

namespace basin {
namespace {

void check(const FactorGraph& graph, const BaseModel& base, const Transition& transition,
           const AnnealOptions& options) {
  check_ladder(options.temperatures);
  if (options.chains < 1 || options.batch < 1 || options.moves < 1) {
    throw Error(fmt::format("[anneal] expected chains, moves and a batch >= 1, received {}, {} and {}",
                            options.chains, options.moves, options.batch));
  }
  const bool same =
      graph.variables().size() == base.graph.variables().size() &&
      std::ranges::all_of(graph.variables(), [&](const Variable& x) { return base.graph.has(x); });
  if (!same || !base.draw) {
    throw Error(
        "[anneal] expected a base model over the variables of the graph that can be drawn from, received "
        "another; make its graph with the same variables in the same order");
  }
  const Block moves = transition.moves();
  for (const Variable& variable : graph.variables()) {
    if (contains(moves, variable)) continue;
    throw Error(fmt::format("[anneal] expected {} to move all variables, {} stays; change its variables",
                            transition.name(), variable.name));
  }
}

}  // namespace

BaseModel independent_base(const FactorGraph& graph) {
  const Block all = graph.variables();
  const auto draw = [graph, all](Index chains, Key key) {
    // A block that is drawn whole reads no value but knows by them how many rows there are.
    State rows;
    for (const Variable& variable : all)
      rows.set(variable, Tensor::zeros(batched(variable, chains), graph.placement()));
    return BlockGibbs({all})(graph, rows, key);
  };
  draw(1, Key(0));  // throws where variables interact
  return {graph, log_partition(graph).item(), draw};
}

PartitionEstimate anneal(const FactorGraph& graph, const BaseModel& base, const Transition& transition,
                         const AnnealOptions& options) {
  check(graph, base, transition, options);
  const std::vector<double>& ladder = options.temperatures;
  PartitionEstimate estimate;
  estimate.base_log_z = base.log_z;
  std::uint64_t batch = 0;
  for (Index begin = 0; begin < options.chains; begin += options.batch, ++batch) {
    const Index count = std::min(options.batch, options.chains - begin);
    const Key key = options.key.fold("batch").fold(batch);
    State state = base.draw(count, key.fold("base"));
    std::vector<double> weights(static_cast<std::size_t>(count));
    for (std::size_t k = 1; k < ladder.size(); ++k) {
      const std::vector<double> from = base.graph.energy(state).tensor().values(),
                                to = graph.energy(state).tensor().values();
      for (std::size_t n = 0; n < weights.size(); ++n)
        weights[n] += (ladder[k] - ladder[k - 1]) * (from[n] - to[n]);
      if (k + 1 == ladder.size()) break;  // the state after the last weight is not looked at
      FactorGraph between = base.graph.scaled(1.0 - ladder[k]);
      between.add_all(graph.scaled(ladder[k]));
      state = iterate(transition, between, state, options.moves,
                      key.fold("moves").fold(static_cast<std::uint64_t>(k)));
    }
    estimate.log_weights.insert(estimate.log_weights.end(), weights.begin(), weights.end());
  }
  finish_estimate(estimate, Walk::Up);
  return estimate;
}

}  // namespace basin

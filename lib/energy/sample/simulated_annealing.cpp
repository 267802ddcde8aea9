#include "energy/sample/simulated_annealing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kEnergy = "annealing.energy";

bool is_positive(double x) { return x > 0.0 && std::isfinite(x); }

}  // namespace

std::vector<double> cooling(double hottest, double coldest, Index count) {
  if (count < 2 || !is_positive(coldest) || !is_positive(hottest) || hottest < coldest) {
    throw Error(
        fmt::format("[cooling] expected at least 2 temperatures > 0 that fall, received {} from {} to {}",
                    count, hottest, coldest));
  }
  std::vector<double> temperatures;
  for (Index k = 0; k < count; ++k)
    temperatures.push_back(
        hottest * std::pow(coldest / hottest, static_cast<double>(k) / static_cast<double>(count - 1)));
  return temperatures;
}

SimulatedAnnealing::SimulatedAnnealing(std::shared_ptr<const Transition> transition,
                                       SimulatedAnnealingOptions options)
    : transition_(std::move(transition)), options_(std::move(options)) {
  if (transition_ == nullptr)
    throw Error("[SimulatedAnnealing] expected a transition, received a null pointer");
  const std::vector<double>& all = options_.temperatures;
  if (all.empty() || !std::all_of(all.begin(), all.end(), is_positive) ||
      !std::is_sorted(all.rbegin(), all.rend())) {
    throw Error(fmt::format(
        "[SimulatedAnnealing] expected temperatures > 0 that do not rise, received {{{}}}; use cooling",
        fmt::join(all, ", ")));
  }
  if (options_.moves < 1)
    throw Error(fmt::format("[SimulatedAnnealing] expected moves >= 1, received {}", options_.moves));
}

State SimulatedAnnealing::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Block moved = moves();
  State at = state, best = state;
  Value lowest = graph.energy_touching(moved, state).detached();
  for (std::size_t i = 0; i < options_.temperatures.size(); ++i) {
    const FactorGraph warm = graph.scaled(1.0 / options_.temperatures[i]);
    for (Index move = 0; move < options_.moves; ++move) {
      at = (*transition_)(warm, at, key.fold(i).fold(static_cast<std::uint64_t>(move)));
      const Value energy = graph.energy_touching(moved, at).detached();
      const Value better = step(lowest - energy);
      lowest = choose(better, energy, lowest);
      for (const Variable& variable : moved)
        best.set(variable, choose(better, at[variable].detached(), best[variable].detached()));
    }
  }
  return best.remember(kEnergy, lowest);
}

Info SimulatedAnnealing::info(const State& after) const { return {{"energy", after.recall(kEnergy)}}; }

}  // namespace basin

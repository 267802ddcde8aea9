#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "autograd/ops.h"
#include "energy/objectives/contrast/contrast.h"
#include "energy/objectives/contrast/persistent_chains.h"
#include "energy/sample/projections.h"
#include "training/health/checks.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kSamples = 256;  // of the data, beside the chains
constexpr Index kMoves = 32;     // of copies of the chains
constexpr double kShare = 0.05;  // that these may be of an epoch's own moves
constexpr Index kProjections = 8;

/// The contrast that a stage is trained by, where its negative phase are chains.
const Contrast* chained(const Stage& stage) {
  const auto* contrast = dynamic_cast<const Contrast*>(stage.objective.get());
  return contrast != nullptr && contrast->terms().chains() != nullptr ? contrast : nullptr;
}

/// A few training samples as the stage sees them.
State some_samples(const HealthView& at) {
  const Stage& stage = at.view.stage;
  const Source all = stage_source(stage, at.view.data().train);
  return samples_between(all, 0, std::min(all.count(), kSamples), stage.key.fold("health").fold("samples"));
}

/// Persistent chains as they stand, which no sample owns; nullopt where there are none.
std::optional<State> chains_of(const HealthView& at, const Contrast& contrast) {
  const ContrastTerms& terms = contrast.terms();
  const FactorGraph& graph = at.view.stage.graph;
  const State batch = some_samples(at);
  PhaseCall call{.free = terms.freed,
                 .latents = missing(graph.variables(), batch),
                 .start = batch,
                 .key = at.view.stage.key.fold("health").fold("chains")};
  call.free.insert(call.free.end(), call.latents.begin(), call.latents.end());
  const bool begun = at.view.carry.contains("particles." + terms.freed.front().name);
  if (terms.chains()->options.persistent == 0 || !begun || call.free.size() < graph.variables().size())
    return std::nullopt;
  Carry copy = copied(at.view.carry);
  ChainsOptions options = terms.chains()->options;
  options.restart = 0.0;  // as they stand
  return PersistentChains(graph, call, copy, options).begin();
}

/// sum_j var_n x_nj of rows x [N, ...].
double variance_of(const Value& x) {
  const Value flat = flatten(x.detached());
  return sum(mean(square(flat - mean(flat, {0}, {.keep = true})), {0})).item();
}

}  // namespace

std::string check_energy_gap(const HealthView& at, const HealthOptions& options) {
  const Contrast* contrast = chained(at.view.stage);
  const auto& columns = at.history.epochs().columns;
  const auto loss = columns.find("loss");
  constexpr std::size_t kEpochs = 6;
  if (contrast == nullptr || loss == columns.end() || loss->second.size() < kEpochs) return "";
  Index numbers = 0;
  for (const Variable& variable : contrast->terms().freed) numbers += variable.size();
  if (numbers < 1) return "";     // of sequences of any length
  std::array<double, 3> pairs{};  // means of two epochs each, the oldest first
  for (std::size_t i = 0; i < kEpochs; ++i)
    pairs.at(i / 2) += 0.5 * std::abs(loss->second.at(loss->second.size() - kEpochs + i));
  const auto [first, second, last] = pairs;
  const bool draws_away = first < second && second < last && last - second >= 0.5 * (second - first);
  if (!draws_away || last <= options.energy_gap * static_cast<double>(numbers)) return "";
  return fmt::format(
      "after epoch {} the free energies of the data and of the chains are {:.4g} nats apart, {:.3g} for each "
      "number of a sample, and draw away from each other (they were {:.4g} apart four epochs ago): the model "
      "is "
      "pushed down where its chains are not; lower optimizer.learning_rate (now {:.3g}), or raise "
      "train.steps",
      at.history.epochs().at.back(), last, last / static_cast<double>(numbers), first,
      last_of(at.history, "learning_rate"));
}

std::string check_chain_variance(const HealthView& at, const HealthOptions& options) {
  const Contrast* contrast = chained(at.view.stage);
  if (contrast == nullptr) return "";
  const std::optional<State> chains = chains_of(at, *contrast);
  if (!chains || chains->batch() < 2) return "";
  const State data = some_samples(at);
  double own = 0.0, others = 0.0;
  for (const Variable& variable : contrast->terms().freed) {
    own += variance_of((*chains)[variable]);
    others += variance_of(data[variable]);
  }
  if (!(own < options.chain_variance * others)) return "";
  return fmt::format(
      "after epoch {} the {} chains stand in nearly one state: their variance is {:.3g} of the data's; lower "
      "optimizer.learning_rate (now {:.3g}), and begin anew",
      at.history.epochs().at.back(), chains->batch(), own / others, last_of(at.history, "learning_rate"));
}

std::string check_mixing(const HealthView& at, const HealthOptions& options) {
  const Contrast* contrast = chained(at.view.stage);
  if (contrast == nullptr) return "";
  const auto every = static_cast<std::int64_t>(
      std::ceil(static_cast<double>(kMoves) / (kShare * static_cast<double>(at.steps_per_epoch))));
  const std::int64_t epoch = at.history.epochs().at.back();
  if (epoch % every != 0) return "";
  std::optional<State> state = chains_of(at, *contrast);
  if (!state) return "";
  const FactorGraph& graph = at.view.stage.graph;
  const ContrastTerms& terms = contrast->terms();
  const Key key = at.view.stage.key.fold("health").fold("mixing");
  const Watch projected = random_projections(terms.freed, kProjections, key.fold("projections"));
  std::vector<double> energies, projections;
  const auto add = [](std::vector<double>& series, const Value& scalars) {
    const std::vector<double> now = scalars.tensor().values();
    series.insert(series.end(), now.begin(), now.end());
  };
  for (Index move = 0; move < kMoves; ++move) {
    state = iterate(*terms.chains()->transition, graph, std::move(*state), terms.chains()->options.steps,
                    key.fold(static_cast<std::uint64_t>(move)));
    add(energies, graph.energy(*state));
    add(projections, projected(graph, *state));
  }
  const auto finite = [](double number) { return std::isfinite(number); };
  if (!std::ranges::all_of(energies, finite) || !std::ranges::all_of(projections, finite))
    return "";  // fit() says so
  const Index chains = state->batch();
  std::vector<Mixing> all = mixing_of_each(Tensor::from(projections, {kMoves, chains, kProjections}));
  all.push_back(mixing(Tensor::from(energies, {kMoves, chains})));
  double worst = 0.0, time = 0.0;
  for (const Mixing& one : all) {
    if (!(one.r_hat > worst)) continue;  // NaN: nothing is known
    worst = one.r_hat;
    time = one.autocorrelation_time;
  }
  if (worst < options.mixing) return "";
  return fmt::format(
      "after epoch {} the chains do not mix: over {} moves with the parameters held their split R-hat is "
      "{:.3g} "
      "(autocorrelation time about {:.3g} moves, where the parameters move after each), so that they follow "
      "the model only as far as learning drives them; lower optimizer.learning_rate (now {:.3g}), raise "
      "train.steps, or take \"fpcd\" or more chains",
      epoch, kMoves, worst, time, last_of(at.history, "learning_rate"));
}

}  // namespace basin

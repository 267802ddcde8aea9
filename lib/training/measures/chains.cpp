#include "training/measures/chains.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/sample/projections.h"
#include "energy/sample/sample_run.h"
#include "models/room.h"
#include "tensor/error.h"
#include "training/measures/sampling.h"

namespace basin {
namespace {

constexpr Index kProjections = 8;
constexpr Index kLags = 200;

/// Layers that are drawn in turn, of a stage that says them.
std::vector<Block> blocks_of(const Stage& stage) {
  const auto* layers = stage.facets.get<Sampling>();
  if (layers == nullptr) return {};
  Block visible = layers->visible_block();
  if (layers->label) visible.push_back(*layers->label);
  return {layers->hidden_block(), visible};
}

/// The worst that several scalars say; what none can tell is NaN.
struct Worst {
  double r_hat = std::nan(""), time = std::nan(""), effective = std::nan("");

  void add(const Mixing& one) {
    if (std::isnan(one.r_hat)) return;
    r_hat = std::fmax(r_hat, one.r_hat);
    time = std::fmax(time, one.autocorrelation_time);
    effective = std::fmin(effective, one.effective_samples);
  }
};

std::string evaluate(const StageView& view, Store& store) {
  const Stage& stage = view.stage;
  const auto& how = need<ChainsRun>(stage, "chains");
  const std::shared_ptr<const Transition> transition = transition_of(stage, how);
  const Key key = stage.key.fold("evaluate").fold("chains");
  const SampleRun run =
      sample(*transition, stage.graph, noise_of(stage.graph, how.chains, key.fold("start")),
             {.burn_in = how.burn_in,
              .draws = how.draws,
              .thin = how.thin,
              .key = key.fold("moves"),
              .watch = {{"projections",
                         random_projections(stage.graph.variables(), kProjections, key.fold("watch"))}}});
  Worst worst;
  worst.add(run.mixing("energy"));
  for (const Mixing& one : mixing_of_each(run.watched.at("projections"))) worst.add(one);
  if (std::isnan(worst.r_hat)) {
    throw Error(fmt::format(
        "[chains] expected chains that move, received {} of {} draws that all stay where they began; take "
        "another transition or step",
        how.chains, how.draws));
  }
  const double time = worst.time * static_cast<double>(how.thin);
  const Tensor& energy = run.watched.at("energy");
  store.put("/evaluation/chains/energy", energy);
  store.put("/evaluation/chains/autocorrelation", autocorrelations(energy, std::min(kLags, how.draws - 1)));
  store.put_text("/evaluation/chains/transition", transition->name());
  put_result(store, {"chains_r_hat", "1", Better::Down}, worst.r_hat);
  put_result(store, {"chains_effective_samples", "draws", Better::Up}, worst.effective);
  put_result(store, {"chains_autocorrelation_time", "moves", Better::Down}, time);
  std::string text = fmt::format("chains       split R-hat {:.3f}, {:.0f} effective of {} draws\n",
                                 worst.r_hat, worst.effective, how.draws * how.chains);
  text += fmt::format("             autocorrelation time {:.3g} moves", time);
  if (const double accepted = run.mean_info("acceptance"); std::isfinite(accepted)) {
    put_result(store, {"chains_acceptance", "1"}, accepted);
    text += fmt::format(", acceptance {:.3f}", accepted);
  }
  if (const auto trips = run.info.find("round_trips"); trips != run.info.end()) {
    const std::vector<double> all = trips->second.values();
    double sum = 0.0;
    for (std::size_t n = all.size() - static_cast<std::size_t>(how.chains); n < all.size(); ++n)
      sum += all[n];
    put_result(store, {"chains_round_trips", "1", Better::Up}, sum / static_cast<double>(how.chains));
    text += fmt::format(", {:.3g} round trips", sum / static_cast<double>(how.chains));
  }
  return text + "\n";
}

}  // namespace

ChainsRun read_chains(const Config& table, bool smoke) {
  constexpr Index kFewestDraws = 8;  // that tell anything of mixing
  const Reader in(table);
  ChainsRun how{.transition = read_transition(table)};
  how.chains = in.count("chains", 1, how.chains, 100000);
  how.draws = in.count("draws", kFewestDraws, how.draws, 10000000);
  how.thin = in.count("thin", 1, how.thin);
  how.burn_in = in.count("burn_in", 0, how.burn_in);
  if (smoke) {
    how.chains = std::min<Index>(how.chains, 4);
    how.draws = std::min<Index>(how.draws, 2 * kFewestDraws);
    how.burn_in = std::min<Index>(how.burn_in, 10);
    how.thin = 1;
  }
  return how;
}

std::shared_ptr<const Transition> transition_of(const Stage& stage, const ChainsRun& how) {
  const Block& all = stage.graph.variables();
  double numbers = 0.0;
  for (const Variable& variable : all) {
    if (variable.is_free()) {
      throw Error(fmt::format(
          "[chains] expected variables of fixed size, received {} of any length; leave out evaluate.chains",
          variable.name));
    }
    numbers += static_cast<double>(variable.size());
  }
  require_room(fmt::format("[chains] evaluate.chains.chains = {}", how.chains),
               numbers * static_cast<double>(how.chains), stage.placement);
  require_room(fmt::format("[chains] evaluate.chains.draws = {}", how.draws),
               static_cast<double>(how.draws) * static_cast<double>(how.chains) * (kProjections + 3),
               {Dtype::F64, Device::Cpu});
  return how.transition(
      {.moved = all, .blocks = blocks_of(stage), .tuned = how.burn_in / 2, .placement = stage.placement});
}

State noise_of(const FactorGraph& graph, Index chains, Key key) {
  State state;
  for (const Variable& variable : graph.variables())
    state.set(variable, noise_of(variable, chains, key.fold(variable.name), graph.placement()));
  return state;
}

Measure chains_measure() {
  return {.name = "chains",
          .metrics = {},
          .results = {"chains_acceptance", "chains_autocorrelation_time", "chains_effective_samples",
                      "chains_r_hat", "chains_round_trips"},
          .evaluate = evaluate};
}

}  // namespace basin

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "config/belongs.h"
#include "config/reader.h"
#include "energy/factors/network.h"
#include "energy/factors/quadratic.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/density/denoising_score_matching.h"
#include "energy/objectives/density/minimum_probability_flow.h"
#include "energy/objectives/density/noise_contrastive.h"
#include "energy/objectives/density/pseudo_likelihood_loss.h"
#include "energy/objectives/density/ratio_matching.h"
#include "energy/objectives/density/score_matching.h"
#include "energy/objectives/density/sliced_score_matching.h"
#include "models/layers.h"
#include "models/room.h"
#include "tensor/error.h"
#include "training/kinds/kind.h"
#include "training/measures/density.h"
#include "training/plots/layers.h"
#include "training/transition_choice.h"
#include "training/walk.h"

/// "energy": any network as an energy of its samples, E(x) = sum of its outputs + confine / 2 |x|^2, trained
/// by whichever strategy is defined on them.
namespace basin {
namespace {

struct Settings {
  std::vector<std::string> layers;
  bool binary = false;
  double confine = 0.0;
  std::string objective;
  Fuse fuse = Fuse::Auto;
  Index steps = 20, chains = kAsBatch, projections = 1, noise_samples = 1, bits = 0;
  double noise = 0.1;
  TransitionMaker transition;  // of chains
};

/// An objective, and what start() has to fit for it.
struct Trained {
  std::shared_ptr<const Objective> objective;
  std::vector<Parameter> buffers = {};
  std::function<void(const Source& samples, const Say& say)> start = {};
};

Trained by_noise(const Settings& settings, const FactorGraph& graph, const Variable& x,
                 const StageContext& context) {
  constexpr Index kLooked = 10000;
  const FactorGraph density = independent_density(graph, {x});
  density.to(context.placement);
  return {
      .objective = std::make_shared<const NoiseContrastive>(
          std::make_shared<const GraphDensity>(density, Block{x}),
          NoiseContrastiveOptions{.noise_samples = settings.noise_samples, .placement = context.placement}),
      .buffers = density.parameters(),
      .start = [density, x, key = context.key.fold("noise")](const Source& samples, const Say&) {
        fit_independent(density, {x}, drawn_samples(samples, kLooked, key));
      }};
}

Contrast by_chains(const Settings& settings, const Variable& x, const StageContext& context) {
  const bool persistent = settings.objective == "pcd";
  return Contrast({x}, Exact{},
                  Chains(settings.transition({.moved = {x}, .placement = context.placement}),
                         {.steps = settings.steps, .persistent = persistent ? settings.chains : 0}));
}

template <class O, class... Arguments>
Trained by(Arguments&&... arguments) {
  return {.objective = std::make_shared<const O>(std::forward<Arguments>(arguments)...)};
}

Trained trained(const Settings& settings, const FactorGraph& graph, const Variable& x,
                const StageContext& context) {
  constexpr Index kEnumerated = 20;
  const std::string& name = settings.objective;
  if (name == "noise_contrastive") return by_noise(settings, graph, x, context);
  if (name == "score_matching") return by<ScoreMatching>(Block{x});
  if (name == "sliced_score_matching") {
    return by<SlicedScoreMatching>(Block{x}, SlicedScoreMatchingOptions{.projections = settings.projections});
  }
  if (name == "denoising_score_matching")
    return by<DenoisingScoreMatching>(Block{x}, DenoisingScoreMatchingOptions{.noise = settings.noise});
  if (name == "pseudo_likelihood")
    return by<PseudoLikelihoodLoss>(Block{x}, PseudoLikelihoodLossOptions{.bits = settings.bits});
  if (name == "ratio_matching")
    return by<RatioMatching>(Block{x}, RatioMatchingOptions{.bits = settings.bits});
  if (name == "minimum_probability_flow")
    return by<MinimumProbabilityFlow>(Block{x}, MinimumProbabilityFlowOptions{.bits = settings.bits});
  if (name != "exact") return by<Contrast>(by_chains(settings, x, context));
  if (!settings.binary || x.size() > kEnumerated) {
    throw Error(
        fmt::format("[energy] expected at most {} bits for train.objective = \"exact\", received {} "
                    "numbers that are {}; take \"pcd\" of real samples, \"pseudo_likelihood\" of bits",
                    kEnumerated, x.size(), to_string(x.domain)));
  }
  return by<Contrast>(ExactLikelihood({x}));
}

/// What is linear in real samples falls without end.
void require_bounded(const Settings& settings) {
  const bool is_linear = std::ranges::all_of(settings.layers, [](const std::string& layer) {
    return layer.starts_with("dense ") && layer.find(' ', 6) == std::string::npos;
  });
  if (settings.binary || settings.confine > 0.0 || !is_linear) return;
  throw Error(
      "[energy] expected layers that are not all linear, or model.confine > 0, received an energy that is "
      "linear in real "
      "samples and falls without end; add \"tanh\" between two layers, or set model.confine");
}

void require_room_for(const Settings& settings, const Shape& sample, Placement placement) {
  const auto size = static_cast<double>(element_count(sample));
  for (const auto& [key, count] :
       {std::pair{"chains", settings.chains}, std::pair{"noise_samples", settings.noise_samples},
        std::pair{"projections", settings.projections}})
    require_room(fmt::format("[energy] train.{} = {}", key, count), static_cast<double>(count) * size,
                 placement);
}

Stage build(const Settings& settings, const StageContext& context) {
  require_plain_layers("energy", settings.layers);
  require_bounded(settings);
  require_room_for(settings, context.sample_shape, context.placement);
  Stage stage;
  const Variable x = settings.binary ? stage.graph.binary("x", context.sample_shape)
                                     : stage.graph.real("x", context.sample_shape);
  const auto network =
      build_layers(read_layers(settings.layers, context.sample_shape), context.key.fold("model"),
                   context.placement, {.fused = settings.fuse == Fuse::Auto});
  stage.graph.add(Network(network, {x}));
  if (settings.confine > 0.0)
    stage.graph.add(Quadratic(x, {.precision = Precision::Fixed}), settings.confine);
  Trained how = trained(settings, stage.graph, x, context);
  stage.inputs = {{"image", x}};
  if (settings.binary) stage.wants_unit_interval = "take model.visible = \"real\", or scale them";
  if (network->fuses()) stage.rules = {"layers"};
  stage.objective = how.objective;
  stage.buffers = how.buffers;
  stage.start = how.start;
  stage.facets.set(free_energy_of(stage.graph, x)).set(NetworkLayers{network, settings.layers});
  return stage;
}

void read_objective(const Reader& in, Settings& settings) {
  const std::string& name = settings.objective;
  const bool flips =
      name == "pseudo_likelihood" || name == "ratio_matching" || name == "minimum_probability_flow";
  const Config& table = in.table();
  refuse_unless(name == "cd" || name == "pcd", table,
                {"steps", "transition", "step", "temperatures", "hottest"},
                "objective = \"cd\" or \"pcd\", which move chains");
  refuse_unless(name == "pcd", table, {"chains"}, "objective = \"pcd\", whose chains go on");
  refuse_unless(name == "denoising_score_matching", table, {"noise"},
                "objective = \"denoising_score_matching\"");
  refuse_unless(name == "sliced_score_matching", table, {"projections"},
                "objective = \"sliced_score_matching\"");
  refuse_unless(name == "noise_contrastive", table, {"noise_samples"}, "objective = \"noise_contrastive\"");
  refuse_unless(
      flips, table, {"bits"},
      "objective = \"pseudo_likelihood\", \"ratio_matching\" or \"minimum_probability_flow\" of bits");
  if (name == "cd" || name == "pcd") {
    settings.steps = in.count("steps", 1, settings.steps);
    settings.transition = read_transition(in.table(), settings.binary ? "gibbs_with_gradients" : "langevin");
  }
  if (name == "pcd") {
    const Index chains = in.count("chains", 0, 0);
    settings.chains = chains == 0 ? kAsBatch : chains;
  }
  if (name == "denoising_score_matching") settings.noise = in.positive("noise", settings.noise);
  if (name == "sliced_score_matching")
    settings.projections = in.count("projections", 1, settings.projections);
  if (name == "noise_contrastive")
    settings.noise_samples = in.count("noise_samples", 1, settings.noise_samples);
  if (flips) settings.bits = in.count("bits", 0, settings.bits);
}

}  // namespace

StageBuilder read_energy(StageTables& tables) {
  const Reader model(tables.config.table("model"));
  Settings settings;
  settings.layers = model.table().texts("layers");
  settings.binary = model.table().choice("visible", {"real", "binary"}, "real") == "binary";
  settings.confine = model.within("confine", 0.0, kInfinity, 0.0);
  const Reader train(tables.config.table("train"));
  settings.objective = tables.objective = train.table().choice(
      "objective",
      {"cd", "pcd", "exact", "noise_contrastive", "score_matching", "sliced_score_matching",
       "denoising_score_matching", "pseudo_likelihood", "ratio_matching", "minimum_probability_flow"},
      settings.binary ? "pseudo_likelihood" : "pcd");
  read_objective(train, settings);
  settings.fuse = tables.fuse = read_fuse(train.table());
  tables.plots = {"filters", "energy_surface"};
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin

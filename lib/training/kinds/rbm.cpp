#include "models/rbm.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "autograd/ops.h"
#include "config/belongs.h"
#include "config/reader.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/parallel_tempering.h"
#include "models/room.h"
#include "tensor/error.h"
#include "training/dictionary.h"
#include "training/kinds/decoder_logits.h"
#include "training/kinds/kind.h"
#include "training/latent_encoders.h"
#include "training/measures/brackets.h"
#include "training/measures/density.h"
#include "training/measures/likelihood.h"
#include "training/measures/sampling.h"

namespace basin {
namespace {

constexpr Index kEnumerated = 24;  // binary units: 2^24 states take seconds to minutes

/// The learning rate of visible units that are no bits: at 0.1, which suits bits, the precisions of pixels
/// that never change leave all bounds within an epoch.
constexpr double kRealRate = 0.002;

struct Settings {
  RbmOptions model{.key = Key(0)};
  bool bias_from_data = true;
  std::string objective;
  ContrastiveDivergenceOptions train;
  ParallelTemperingOptions tempering;
  Index tempered_chains = 0;  // train.chains, or as many as a batch has samples
  Likelihood likelihood;
  std::optional<Brackets> brackets = {};
  Sampling sampling;
};

void read_model(const Config& config, Settings& settings) {
  const Reader in(config.table("model"));
  RbmOptions& model = settings.model;
  model.visible = parse_unit_kind(in.table().choice("visible", {"binary", "gaussian", "relu"}, "binary"));
  model.hidden =
      parse_unit_kind(in.table().choice("hidden_units", {"binary", "gaussian", "relu", "softmax"}, "binary"));
  model.hidden_units = in.count("hidden", 1);
  if (model.hidden == UnitKind::Softmax) {
    model.hidden_group = in.count("hidden_group", 2, 2);
    if (model.hidden_units % model.hidden_group != 0) {
      in.table().fail("hidden_group", fmt::format("expected a divisor of hidden = {}, received {}",
                                                  model.hidden_units, model.hidden_group));
    }
  }
  model.weight_scale = in.within("weight_scale", 0.0, kInfinity, 0.01);
  settings.bias_from_data = in.table().choice("visible_bias", {"data", "zero"}, "data") == "data";
}

ContrastiveDivergenceOptions read_train(StageTables& tables) {
  const Reader in(tables.config.table("train"));
  ContrastiveDivergenceOptions options;
  tables.objective = in.table().choice("objective", {"cd", "pcd", "fpcd", "tempering", "exact"}, "cd");
  const auto of = [&](const std::string& name) { return tables.objective == name; };
  refuse_unless(of("tempering"), in.table(), {"temperatures", "hottest"}, "objective = \"tempering\"");
  refuse_unless(of("fpcd"), in.table(), {"fast_rate"}, "objective = \"fpcd\"");
  options.steps = in.count("steps", 1, 1);
  options.persistent = tables.objective != "cd" && tables.objective != "exact";
  refuse_unless(options.persistent, in.table(), {"chains"},
                "objective = \"pcd\", \"fpcd\" or \"tempering\", whose chains go on");
  if (options.persistent) options.chains = in.count("chains", 0, 0);
  if (tables.objective == "fpcd") options.fast_rate = in.positive("fast_rate");
  options.centring = in.within("centring", 0.0, 1.0, 0.0);
  options.offsets =
      in.table().choice("offsets", {"data", "average"}, "data") == "data" ? Offsets::Data : Offsets::Average;
  const Reader sparsity(in.table().table("sparsity"));
  options.sparsity.target = sparsity.within("target", 0.0, 1.0, 0.0);
  options.sparsity.cost = sparsity.within("cost", 0.0, kInfinity, 0.0);
  options.fuse = tables.fuse = read_fuse(in.table());
  return options;
}

/// At inverse temperature 0 bits are fair; numbers would be anywhere.
ParallelTemperingOptions read_tempering(const StageTables& tables, const RbmOptions& model) {
  ParallelTemperingOptions options{.fuse = tables.fuse};
  if (tables.objective != "tempering") return options;
  const Reader in(tables.config.table("train"));
  const Index count = in.count("temperatures", 2, 10, 10000);
  const auto is_continuous = [](UnitKind kind) {
    return kind == UnitKind::Gaussian || kind == UnitKind::Relu;
  };
  const bool continuous = is_continuous(model.visible) || is_continuous(model.hidden);
  const double hottest = in.within("hottest", 0.0, 1.0, continuous ? 0.1 : 0.0);
  if (hottest >= 1.0 || (continuous && hottest == 0.0)) {
    in.table().fail("hottest", fmt::format("expected an inverse temperature{} below 1, received {}",
                                           continuous ? " above 0, as units are no bits, and" : "", hottest));
  }
  options.ladder = even_ladder(hottest, count);
  return options;
}

/// Persistent chains whose replicas are tempered; hidden units are summed out of their states.
Contrast tempered_contrast(const Settings& settings, const Rbm& rbm) {
  const ContrastiveDivergenceOptions& train = settings.train;
  const Chains chains(ParallelTempering(BlockGibbs({{rbm.v}, {rbm.h}}), settings.tempering),
                      {.steps = train.steps,
                       .persistent = train.chains > 0 ? train.chains : kAsBatch,
                       .eliminated = Block{rbm.h}});
  return {
      {rbm.v},
      chains,
      {.centring = train.centring, .offsets = train.offsets, .sparsity = train.sparsity, .fuse = train.fuse}};
}

std::shared_ptr<const Objective> make_objective(const Settings& settings, const Rbm& rbm) {
  if (settings.objective == "tempering")
    return std::make_shared<const Contrast>(tempered_contrast(settings, rbm));
  if (settings.objective != "exact") {
    return std::make_shared<const Contrast>(
        ContrastiveDivergence(rbm.v, BlockGibbs({{rbm.h}, {rbm.v}}), settings.train));
  }
  const Index enumerated = std::min(rbm.h.size(), rbm.v.size());
  if (enumerated > kEnumerated) {
    throw Error(
        fmt::format("[rbm] expected at most {} units on the smaller side for train.objective = "
                    "\"exact\", received {}; take \"pcd\"",
                    kEnumerated, enumerated));
  }
  return std::make_shared<const Contrast>(ExactLikelihood({rbm.v}));
}

/// Sizes that no machine has room for are refused before memory is taken.
void require_room_for(const Settings& settings, const StageContext& context) {
  const auto visible = static_cast<double>(element_count(context.sample_shape)),
             hidden = static_cast<double>(settings.model.hidden_units);
  const auto require = [&](const char* key, Index count, double numbers) {
    require_room(fmt::format("[rbm] {} = {}", key, count), numbers, context.placement);
  };
  require("model.hidden", settings.model.hidden_units, visible * hidden);
  const auto replicas = static_cast<double>(settings.tempering.ladder.size());
  if (settings.objective == "tempering")
    require("train.temperatures times train.chains (the batch where none are given)",
            static_cast<Index>(replicas) * settings.tempered_chains,
            replicas * static_cast<double>(settings.tempered_chains) * (visible + hidden));
  for (const auto& [key, chains] : {std::pair{"train.chains", settings.train.chains},
                                    std::pair{"evaluate.ais.chains", settings.likelihood.chains},
                                    std::pair{"results.sample_chains", settings.sampling.chains}})
    require(key, chains, static_cast<double>(chains) * (visible + hidden));
}

/// What can be asked of samples and of the likelihood is known before anything is trained.
void require_sense(const Settings& settings, const StageContext& context) {
  if (context.sample_shape.empty()) {
    throw Error(
        "[rbm] expected samples of several numbers, received one number a sample; take columns side by side, "
        "or of shape [1]");
  }
  const Index hidden = settings.model.hidden_units, visible = element_count(context.sample_shape);
  const bool sums_visible = settings.model.visible == UnitKind::Binary,
             sums_hidden = settings.model.hidden == UnitKind::Binary;
  const Index smaller = std::min(sums_visible ? visible : kMostCounted, sums_hidden ? hidden : kMostCounted);
  if (settings.likelihood.method == "exact" && smaller != kMostCounted && smaller > kEnumerated) {
    throw Error(
        fmt::format("[rbm] expected at most {} binary units on the smaller side for "
                    "evaluate.log_likelihood = \"exact\", received {}; take \"ais\"",
                    kEnumerated, smaller));
  }
}

Stage build(const Settings& settings, const StageContext& context) {
  require_sense(settings, context);
  require_room_for(settings, context);
  RbmOptions options = settings.model;
  options.visible_shape = context.sample_shape;
  options.key = context.key.fold("model");
  const Rbm rbm = basin::rbm(options);
  rbm.graph.to(context.placement);

  Stage stage;
  stage.graph = rbm.graph;
  stage.inputs = {{"image", rbm.v}};
  stage.latents = {rbm.h};
  stage.decoder = conditional_mean(rbm.graph, rbm.h, rbm.v);
  if (rbm.v.domain == Domain::Binary) {
    stage.wants_unit_interval = "take model.visible = \"gaussian\", or scale them";
    stage.facets.set(DecoderLogits{conditional_input(rbm.graph, rbm.h, rbm.v)});
  }
  stage.objective = make_objective(settings, rbm);
  if (settings.bias_from_data) {
    stage.start = [rbm, key = context.key.fold("bias")](const Source& samples, const Say& /*say*/) {
      const Tensor bias = mean_bias(rbm.graph, rbm.v, samples, key);
      rbm.graph.parameter(rbm.v.name + ".bias").tensor().copy_from(bias);
    };
  }
  if (settings.objective != "exact") {  // whose loss itself says all
    stage.monitors = {rbm.v.domain == Domain::Binary ? "pseudo_likelihood" : "free_energy"};
    if (rbm.h.domain == Domain::Binary || rbm.h.domain == Domain::NonNegative)
      stage.monitors.emplace_back("hidden_units");
  }
  if (settings.brackets) {
    stage.monitors.emplace_back("brackets");
    stage.facets.set(*settings.brackets);
  }
  if (settings.likelihood.method != "none") stage.measures = {"likelihood"};
  Likelihood likelihood = settings.likelihood;
  Sampling sampling = settings.sampling;
  likelihood.visible = sampling.visible = rbm.v;
  likelihood.hidden = sampling.hidden = rbm.h;
  stage.facets.set(free_energy_of(rbm.graph, rbm.v));
  stage.facets.set(std::move(likelihood))
      .set(std::move(sampling))
      .set(Dictionary{.atoms = columns_of(rbm.graph.parameter(rbm.v.name + "." + rbm.h.name + ".weight")),
                      .shape = rbm.v.shape});
  return stage;
}

}  // namespace

StageBuilder read_rbm(StageTables& tables) {
  tables.plots = {"basis", "samples"};
  Settings settings;
  read_model(tables.config, settings);
  settings.train = read_train(tables);
  settings.tempering = read_tempering(tables, settings.model);
  if (settings.objective == "tempering") {
    settings.tempered_chains = settings.train.chains > 0
                                   ? settings.train.chains
                                   : Reader(tables.config.table("train")).count("batch", 1, 100);
  }
  settings.objective = tables.objective;
  const bool bits = settings.model.visible == UnitKind::Binary;
  if (!bits) tables.learning_rate = kRealRate;
  settings.likelihood = read_likelihood(tables.config, bits, tables.scale, tables.smoke);
  // No part of an experiment that does not say it.
  if (const Config evaluate = tables.config.table("evaluate"); evaluate.has("brackets"))
    settings.brackets = read_brackets(evaluate.table("brackets"), tables.smoke);
  settings.sampling = read_stated_sampling(tables.config.table("results"), tables.smoke);
  settings.likelihood.fuse = settings.sampling.fuse = tables.fuse;
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin

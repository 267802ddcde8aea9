#include "models/label_rbm.h"

#include <memory>
#include <string>
#include <utility>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/eliminate/marginals.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/objectives/labels/label_loss.h"
#include "energy/objectives/sum_objective.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample_ops.h"
#include "modules/function.h"
#include "tensor/error.h"
#include "training/code_words.h"
#include "training/dictionary.h"
#include "training/kinds/kind.h"
#include "training/measures/classification.h"
#include "training/measures/sampling.h"

/// The head "label_rbm": a Boltzmann machine of the last stage's codes and the label, which classifies by
/// its free energy; without stages of samples and label. The same as a stage, for a head above it.
namespace basin {
namespace {

struct Settings {
  LabelRbmOptions model{.key = Key(0)};
  ContrastiveDivergenceOptions chains;
  double generative = 0.0, discriminative = 0.0;  // weights of the two likelihoods
  Sampling sampling;
};

std::shared_ptr<const Objective> objective_of(const Settings& settings, const LabelRbm& model) {
  const auto joint = std::make_shared<const Contrast>(ContrastiveDivergence(
      Block{model.v, model.y}, BlockGibbs({{model.h}, {model.v, model.y}}), settings.chains));
  // -log p(y | v).
  const auto conditional = std::make_shared<const LabelLoss>(model.y, LabelLoss::Kind::Nll,
                                                             LabelLossOptions{.fuse = settings.chains.fuse});
  if (settings.discriminative == 0.0) return joint;
  if (settings.generative == 0.0) return conditional;
  return std::make_shared<const SumObjective>(
      std::vector<SumObjective::Term>{{settings.discriminative, conditional}, {settings.generative, joint}});
}

/// v -> -F(v, y) of every label y, [N, classes].
std::shared_ptr<const Module> scores_of(const LabelRbm& model, Fuse fuse) {
  return std::make_shared<const Function>(
      [model, fuse](const Value& v, const Context&) {
        return -label_energies(model.graph, model.y, State().set(model.v, as_values(model.v, v)),
                               Elimination::Sum, fuse);
      },
      model.graph.parameters());
}

std::pair<Stage, LabelRbm> build(const Settings& settings, const LabelColumn& labels,
                                 const StageContext& context) {
  LabelRbmOptions options = settings.model;
  options.visible_shape = context.sample_shape;
  options.classes = labels.classes;
  options.key = context.key.fold("model");
  const LabelRbm model = label_rbm(options);
  model.graph.to(context.placement);

  Stage head;
  head.graph = model.graph;
  head.inputs = {{"image", model.v}, {labels.name, model.y}};
  if (model.v.domain == Domain::Binary) head.wants_unit_interval = "scale them";
  head.objective = objective_of(settings, model);
  head.monitors = head.measures = {"classification"};
  Sampling sampling = settings.sampling;
  sampling.visible = model.v;
  sampling.hidden = model.h;
  sampling.label = model.y;
  sampling.fuse = settings.chains.fuse;
  head.facets.set(std::move(sampling))
      .set(Classifier{scores_of(model, settings.chains.fuse)})
      .set(Dictionary{.atoms = columns_of(model.graph.parameter("v.h.weight")), .shape = model.v.shape});
  return {head, model};
}

/// Sizes from one table, how it learns from another: [model] and [train], or both from [head].
Settings read(const Reader& model, const Reader& train, StageTables& tables) {
  Settings settings;
  settings.model.hidden_units = model.count("hidden", 1);
  settings.model.weight_scale = model.within("weight_scale", 0.0, kInfinity, 0.01);
  tables.objective =
      train.table().choice("objective", {"generative", "discriminative", "hybrid"}, "generative");
  if (tables.objective != "discriminative") {
    settings.chains.persistent = train.table().choice("negative", {"cd", "pcd"}, "cd") == "pcd";
    settings.chains.steps = train.count("steps", 1, 1);
    if (settings.chains.persistent) settings.chains.chains = train.count("chains", 0, 0);
  }
  settings.chains.fuse = tables.fuse = read_fuse(train.table());
  settings.discriminative = tables.objective == "generative" ? 0.0 : 1.0;
  settings.generative = tables.objective == "generative" ? 1.0
                        : tables.objective == "hybrid"   ? train.positive("generative_weight", 0.01)
                                                         : 0.0;
  settings.sampling = read_sampling(tables.config.table("results"), tables.smoke);
  tables.plots = {"basis", "samples", "confusion", "misclassified"};
  return settings;
}

/// v -> E[h | v], labels summed out.
std::shared_ptr<const Module> encoder_of(const LabelRbm& model) {
  return std::make_shared<const Function>(
      [model](const Value& v, const Context& context) {
        State state;
        state.in(context).set(model.v, as_values(model.v, v));
        return marginals(model.graph, {model.h, model.y}, state, {.differentiable = true}).front();
      },
      model.graph.parameters());
}

}  // namespace

StageBuilder read_label_rbm(StageTables& tables) {
  const Reader in(tables.config.table("head"));
  const Settings settings = read(in, in, tables);
  tables.learns_codes = true;
  return
      [settings](const StageContext& context) { return build(settings, labels_of(context), context).first; };
}

StageBuilder read_label_rbm_stage(StageTables& tables) {
  const Settings settings =
      read(Reader(tables.config.table("model")), Reader(tables.config.table("train")), tables);
  return [settings](const StageContext& context) {
    const Samples samples = context.samples ? context.samples() : Samples();
    const Column* column = samples.columns.empty() ? nullptr : samples.labels();
    if (column == nullptr)
      throw Error("[label_rbm] expected data with labels, received some without; take an rbm");
    auto [stage, model] = build(settings, {column->name(), column->classes()}, context);
    stage.encoder = encoder_of(model);
    stage.facets.set(CodeWords{"probabilities of h given the sample, labels summed out", "probability"});
    return stage;
  };
}

}  // namespace basin

#include "models/label_rbm.h"

#include <memory>
#include <string>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/objectives/contrastive_divergence.h"
#include "energy/objectives/label_loss.h"
#include "energy/objectives/sum_objective.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample_ops.h"
#include "modules/function.h"
#include "training/dictionary.h"
#include "training/kinds/kind.h"
#include "training/measures/classification.h"

/// The head "label_rbm": a Boltzmann machine of the last stage's codes and the label, which classifies by
/// its free energy; without stages of samples and label.
namespace basin {
namespace {

struct Settings {
  LabelRbmOptions model{.key = Key(0)};
  ContrastiveDivergenceOptions chains;
  double generative = 0.0, discriminative = 0.0;  // weights of the two likelihoods
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

Stage build(const Settings& settings, const StageContext& context) {
  const LabelColumn& labels = labels_of(context);
  LabelRbmOptions options = settings.model;
  options.visible_shape = context.sample_shape;
  options.classes = labels.classes;
  options.key = context.key.fold("model");
  const LabelRbm model = label_rbm(options);
  model.graph.to(context.placement);

  Stage head;
  head.graph = model.graph;
  head.inputs = {{"image", model.v}, {labels.name, model.y}};
  head.objective = objective_of(settings, model);
  head.monitors = head.measures = {"classification"};
  head.facets.set(Classifier{scores_of(model, settings.chains.fuse)})
      .set(Dictionary{.atoms = columns_of(model.graph.parameter("v.h.weight")), .shape = model.v.shape});
  return head;
}

}  // namespace

StageBuilder read_label_rbm(StageTables& tables) {
  const Reader in(tables.config.table("head"));
  Settings settings;
  settings.model.hidden_units = in.count("hidden", 1);
  settings.model.weight_scale = in.within("weight_scale", 0.0, kInfinity, 0.01);
  tables.objective = in.table().choice("objective", {"generative", "discriminative", "hybrid"}, "generative");
  if (tables.objective != "discriminative") {
    settings.chains.persistent = in.table().choice("negative", {"cd", "pcd"}, "cd") == "pcd";
    settings.chains.steps = in.count("steps", 1, 1);
    if (settings.chains.persistent) settings.chains.chains = in.count("chains", 0, 0);
  }
  settings.chains.fuse = tables.fuse = read_fuse(in.table());
  settings.discriminative = tables.objective == "generative" ? 0.0 : 1.0;
  settings.generative = tables.objective == "generative" ? 1.0
                        : tables.objective == "hybrid"   ? in.positive("generative_weight", 0.01)
                                                         : 0.0;
  tables.learns_codes = true;
  tables.plots = {"basis", "confusion", "misclassified"};
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin

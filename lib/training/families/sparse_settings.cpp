#include "training/families/sparse_settings.h"

#include <algorithm>

#include "training/reader.h"

namespace basin {
namespace {

SparseSettings::Model read_model(const Config& config, const std::string& kind) {
  const Reader in(config.table("model"));
  SparseSettings::Model model;
  model.atoms = in.count("atoms", 1);
  model.lambda = in.within("lambda", 0.0, kInfinity);
  model.non_negative = in.table().boolean("non_negative", false);
  model.atoms_from_data = in.table().choice("start", {"data", "normal"}, "normal") == "data";
  model.encodes = kind != "sparse_coding";
  model.warm_start = kind == "psd_warm_start";
  if (model.encodes) {
    model.alpha = in.positive("alpha", 1.0);
    model.encoder = parse_encoder_kind(in.table().choice("encoder", {"shrinkage", "tanh", "relu"},
                                                         model.non_negative ? "relu" : "shrinkage"));
  }
  return model;
}

SparseSettings::Train read_train(const Config& config, Plan::Train& plan) {
  const Reader in(config.table("train"));
  SparseSettings::Train train;
  plan.objective = in.table().choice("objective", {"online", "sgd"}, "online");
  train.online = plan.objective == "online";
  if (train.online) {
    train.forget = in.within("forget", 0.0, kInfinity, 20.0);
  }
  train.dead_after = in.count("dead_after", 0, 50);
  return train;
}

}  // namespace

SparseSettings::Inference read_inference(const Config& config, Plan& plan,
                                         const std::vector<std::string>& solvers, double tolerance,
                                         Index max_steps) {
  const Reader in(config.table("inference"));
  SparseSettings::Inference inference;
  inference.solver = in.table().choice("solver", solvers, solvers.front());
  inference.options.tolerance = in.within("tolerance", 0.0, 1.0, tolerance);
  inference.options.max_steps =
      in.count("max_steps", 1, inference.solver == "coordinate_descent" ? 10 * max_steps : max_steps);
  if (inference.solver != "coordinate_descent") {
    const bool backtracking =
        in.table().choice("step", {"lipschitz", "backtracking"}, "lipschitz") == "backtracking";
    inference.proximal.rule = backtracking ? StepRule::Backtracking : StepRule::Lipschitz;
  }
  plan.train.fuse = in.table().choice("fuse", {"auto", "off"}, "auto") == "auto" ? Fuse::Auto : Fuse::Off;
  inference.options.fuse = plan.train.fuse;
  return inference;
}

SparseSettings read_sparse_settings(const Config& config, Plan& plan, const std::string& kind) {
  SparseSettings settings;
  settings.model = read_model(config, kind);
  settings.inference = read_inference(config, plan, {"coordinate_descent", "fista", "ista"}, 1e-3, 1000);
  settings.train = read_train(config, plan.train);
  if (settings.model.encodes && plan.optimizer.kind == "none") {
    config.table("optimizer").fail("kind", "'none' leaves the encoder as it is; take \"sgd\" or \"adam\"");
  }
  const Reader evaluate(config.table("evaluate"));
  settings.evaluate.samples = evaluate.count("samples", 1, 2000);
  settings.evaluate.gabor = evaluate.table().boolean("gabor", false);
  settings.evaluate.likeness = evaluate.table().boolean("likeness", false);
  if (plan.smoke) {
    settings.evaluate.samples = std::min<Index>(settings.evaluate.samples, 100);
  }
  return settings;
}

std::shared_ptr<const Transition> make_solver(const SparseSettings::Inference& inference, const Variable& z) {
  if (inference.solver == "coordinate_descent") {
    return std::make_shared<const CoordinateDescent>(z);
  }
  if (inference.solver == "ista") {
    return std::make_shared<const Ista>(z, inference.proximal);
  }
  return std::make_shared<const Fista>(z, Fista::Options{.proximal = inference.proximal});
}

}  // namespace basin

#include <fmt/format.h>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/factors/gaussian_components.h"
#include "energy/objectives/density/expectation_maximisation.h"
#include "models/room.h"
#include "training/dictionary.h"
#include "training/kinds/kind.h"
#include "training/measures/density.h"
#include "training/walk.h"

/// A mixture of Gaussians with diagonal covariances by expectation-maximisation: "gaussian_mixture".
namespace basin {
namespace {

/// Means at samples, variances those of the samples.
void start_at(const GaussianComponents& mixture, const Source& data, Key key) {
  constexpr Index kLooked = 10000;
  const Tensor& means = mixture.mean().tensor();
  const Tensor drawn =
      flatten(drawn_samples(data, means.dim(0), key.fold("means"))[mixture.observed()]).tensor();
  means.rows(0, drawn.dim(0)).copy_from(drawn);
  const Value looked = flatten(drawn_samples(data, kLooked, key.fold("variances"))[mixture.observed()]);
  const Value variance = mean(square(looked - mean(looked, {0}, {.keep = true})), {0}, {.keep = true});
  const Tensor& precision = mixture.log_precision().tensor();
  precision.copy_from(broadcast_to(-log(variance + 1e-6), precision.shape()).tensor());
}

Stage build(Index clusters, ExpectationMaximisationOptions options, const StageContext& context) {
  Stage stage;
  const Variable x = stage.graph.real("x", context.sample_shape),
                 z = stage.graph.categorical("z", {clusters});
  require_room(fmt::format("[gaussian_mixture] model.clusters = {}", clusters),
               2.0 * static_cast<double>(clusters) * static_cast<double>(x.size()), context.placement);
  const GaussianComponents mixture(x, z);
  stage.graph.add(mixture);
  stage.graph.to(context.placement);
  stage.inputs = {{"image", x}};
  stage.latents = {z};
  stage.objective = std::make_shared<const ExpectationMaximisation>(options);
  stage.start = [mixture, key = context.key.fold("model").fold("start")](const Source& data, const Say&) {
    start_at(mixture, data, key);
  };
  stage.facets.set(free_energy_of(stage.graph, x))
      .set(Dictionary{.atoms = [mixture] { return mixture.mean().tensor(); }, .shape = x.shape});
  return stage;
}

}  // namespace

StageBuilder read_gaussian_mixture(StageTables& tables) {
  const Reader model(tables.config.table("model"));
  const Index clusters = model.count("clusters", 2);
  ExpectationMaximisationOptions options;
  options.least_variance = model.positive("least_variance", options.least_variance);
  const Reader train(tables.config.table("train"));
  tables.objective = train.table().choice("objective", {"em"}, "em");
  options.rate = train.within("rate", 1e-6, 1.0, 1.0);
  tables.needs_optimizer = false;
  tables.plots = {"dictionary", "energy_surface"};
  return [clusters, options](const StageContext& context) { return build(clusters, options, context); };
}

}  // namespace basin

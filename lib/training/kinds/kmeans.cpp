#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/factors/squared_error.h"
#include "energy/objectives/mean_energy.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "training/code_words.h"
#include "training/dictionary.h"
#include "training/distances.h"
#include "training/kinds/kind.h"
#include "training/measures/density.h"
#include "training/measures/reconstruction.h"
#include "training/walk.h"

/// K-means: E(x, z) = 1/2 |x - D z|^2 with one-hot z, lowered over z, then over D: "kmeans". Its codes are
/// that z, or "triangle": f_k = max(0, mean of all d - d_k), d_k = |x - D_k| (Coates, Lee, Ng 2011, "An
/// analysis of single-layer networks in unsupervised feature learning", eq. 3).
namespace basin {
namespace {

struct Settings {
  Index clusters = 0;
  bool from_data = true;
  bool triangle = false;
  Index judged = 0;  // samples of the evaluation
};

/// f(x) of the means D.
std::shared_ptr<const Module> triangle_of(const Parameter& dictionary) {
  return std::make_shared<const Function>([dictionary](const Value& in, const Context& /*context*/) {
    const Value means = dictionary.value().detached(), x = flatten(in).detached();
    const Value distances = sqrt(relu(squared_distances(x, means)));
    return relu(mean(distances, {1}, {.keep = true}) - distances);
  });
}

/// g(x) = argmin_z E(x, z), one-hot: the nearest of the means D.
std::shared_ptr<const Module> nearest_of(const Parameter& dictionary) {
  return std::make_shared<const Function>([dictionary](const Value& x, const Context& /*context*/) {
    const Value means = dictionary.value().detached();  // [K, x.size()]
    const Value score = matmul(flatten(x).detached(), means, {.transpose_b = true}) -
                        0.5 * reshape(sum(square(means), {1}), {1, means.dim(0)});
    const Value nearest = 1.0 - sign(max(score, 1, {.keep = true}) - score);
    return nearest / sum(nearest, {1}, {.keep = true});  // of equal means each has its part
  });
}

Stage build(const Settings& settings, const StageContext& context) {
  const Index clusters = settings.clusters;
  Stage stage;
  const Variable x = stage.graph.real("x", context.sample_shape),
                 z = stage.graph.categorical("z", {clusters});
  const auto decoder =
      std::make_shared<const Linear>(clusters, x.size(), context.key.fold("model"),
                                     LinearOptions{.bias = false, .placement = context.placement});
  const std::shared_ptr<const Module> nearest = nearest_of(decoder->weight());
  stage.graph.add(SquaredError(x, decoder, z));
  stage.inputs = {{"image", x}};
  stage.objective = std::make_shared<const MeanEnergy>(
      MeanEnergyOptions{.prepare = [nearest, x, z](const State& batch, Key) {
        return batch.with(z, nearest->forward(batch[x]));
      }});
  stage.encoder = settings.triangle ? triangle_of(decoder->weight()) : nearest;
  stage.facets.set(CodeWords{settings.triangle
                                 ? "by how much each centre is nearer than the mean of all, else 0"
                                 : "1 for the nearest centre, 0 for all others"});
  if (settings.from_data) {
    stage.start = [decoder, x, key = context.key.fold("model").fold("start")](const Source& data,
                                                                              const Say&) {
      const Tensor& means = decoder->weight().tensor();
      const Tensor drawn = flatten(drawn_samples(data, means.dim(0), key)[x]).tensor();
      means.rows(0, drawn.dim(0)).copy_from(drawn);
    };
  }
  if (!settings.triangle) {
    stage.decoder = decoder;
    stage.monitors = stage.measures = {"reconstruction"};
    stage.facets.set(ReconstructionError{.samples = settings.judged});
  }
  stage.facets.set(
      SampleEnergy{x, [graph = stage.graph, nearest, x, z](const Value& rows) {
                     return graph.energy(State().set(x, rows).set(z, nearest->forward(rows))).detached();
                   }});
  stage.facets.set(Dictionary{.atoms = [decoder] { return decoder->weight().tensor(); }, .shape = x.shape});
  return stage;
}

}  // namespace

StageBuilder read_kmeans(StageTables& tables) {
  const Reader model(tables.config.table("model"));
  Settings settings;
  settings.clusters = model.count("clusters", 2);
  settings.from_data = model.table().choice("start", {"data", "normal"}, "data") == "data";
  // No part of an experiment that does not say it.
  if (model.table().has("codes"))
    settings.triangle = model.table().choice("codes", {"hard", "triangle"}) == "triangle";
  tables.plots = {"dictionary", "energy_surface"};
  if (!settings.triangle) tables.plots.emplace_back("reconstructions");
  tables.objective = tables.config.table("train").choice("objective", {"sgd"}, "sgd");
  settings.judged = Reader(tables.config.table("evaluate")).count("samples", 1, 10000);
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace basin

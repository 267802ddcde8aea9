#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/factors/squared_error.h"
#include "energy/objectives/mean_energy.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "tensor/random.h"
#include "training/dictionary.h"
#include "training/kinds/kind.h"
#include "training/measures/reconstruction.h"

/// K-means: E(x, z) = 1/2 |x - D z|^2 with one-hot z, lowered over z, then over D: "kmeans".
namespace basin {
namespace {

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

Stage build(Index clusters, bool from_data, Index samples, const StageContext& context) {
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
  stage.encoder = nearest;
  stage.decoder = decoder;
  if (from_data) {
    stage.start = [decoder, x, key = context.key.fold("model").fold("start")](const Source& data,
                                                                              const Say&) {
      std::vector<Index> rows = permutation(key, data.count());
      const Tensor& means = decoder->weight().tensor();
      rows.resize(static_cast<std::size_t>(std::min(means.dim(0), data.count())));
      means.rows(0, static_cast<Index>(rows.size())).copy_from(flatten(data.batch(rows, key)[x]).tensor());
    };
  }
  stage.monitors = stage.measures = {"reconstruction"};
  stage.facets.set(ReconstructionError{.samples = samples})
      .set(Dictionary{.atoms = [decoder] { return decoder->weight().tensor(); }, .shape = x.shape});
  return stage;
}

}  // namespace

StageBuilder read_kmeans(StageTables& tables) {
  tables.plots = {"dictionary", "reconstructions"};
  const Reader model(tables.config.table("model"));
  const Index clusters = model.count("clusters", 2);
  const bool from_data = model.table().choice("start", {"data", "normal"}, "data") == "data";
  tables.objective = tables.config.table("train").choice("objective", {"sgd"}, "sgd");
  const Index samples = Reader(tables.config.table("evaluate")).count("samples", 1, 10000);
  return [=](const StageContext& context) { return build(clusters, from_data, samples, context); };
}

}  // namespace basin

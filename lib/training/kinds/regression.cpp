#include "config/reader.h"
#include "energy/factors/squared_error.h"
#include "energy/objectives/mean_energy.h"
#include "models/layers.h"
#include "tensor/error.h"
#include "training/code_words.h"
#include "training/kinds/kind.h"
#include "training/kinds/target_column.h"
#include "training/measures/sequences.h"
#include "training/plots/layers.h"

/// "regression": a network from a list of layers that foretells real numbers, E(x, y) = 1/2 |y - f(x)|^2.
namespace basin {
namespace {

Stage build(const std::vector<std::string>& texts, Fuse fuse, const StageContext& context) {
  if (context.data.empty()) {
    throw Error(
        "[regression] expected to stand first, where the data's targets are, received a stage above another");
  }
  const Samples samples = context.samples();
  const Column& target = target_column(
      "regression", samples,
      [](const Column& column) { return column.kind() == ColumnKind::Reals && column.shape().size() == 1; },
      "a second column of real numbers [M]");
  Stage stage;
  const Variable x = stage.graph.real("x", context.sample_shape);
  const Variable y = stage.graph.real("target", target.shape());
  const auto network = build_layers(read_layers(texts, context.sample_shape), context.key.fold("model"),
                                    context.placement, {.fused = fuse == Fuse::Auto});
  stage.graph.add(SquaredError(y, network, x));
  stage.inputs = {{samples.first().name(), x}, {target.name(), y}};
  stage.encoder = network;
  stage.facets.set(CodeWords{"targets as predicted", "of the targets"});
  if (network->fuses()) stage.rules = {"layers"};
  stage.objective = std::make_shared<const MeanEnergy>();
  stage.monitors = stage.measures = {"sequences"};
  stage.facets.set(NetworkLayers{network, texts});
  stage.facets.set(SequencePredictions{.values = network, .x = x, .y = y});
  return stage;
}

}  // namespace

StageBuilder read_regression(StageTables& tables) {
  const Config train = tables.config.table("train");
  tables.objective = train.choice("objective", {"energy"}, "energy");
  tables.fuse = read_fuse(train);
  tables.plots = {"filters", "feature_maps", "loss_surface"};
  const std::vector<std::string> layers = tables.config.table("model").texts("layers");
  return [layers, fuse = tables.fuse](const StageContext& context) { return build(layers, fuse, context); };
}

}  // namespace basin

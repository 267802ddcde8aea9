#include "config/reader.h"
#include "models/layers.h"
#include "training/kinds/kind.h"
#include "training/plots/layers.h"

/// "network": a network from a list of layers, with a random start and nothing that trains it by itself:
/// random features, or, under protocol = "supervised" or "layerwise_fine_tune", what the head trains.
namespace basin {
namespace {

Stage build(const std::vector<std::string>& texts, Fuse fuse, const StageContext& context) {
  Stage stage;
  stage.inputs = {{"image", stage.graph.real("x", context.sample_shape)}};
  const auto network = build_layers(read_layers(texts, context.sample_shape), context.key.fold("model"),
                                    context.placement, {.fused = fuse == Fuse::Auto});
  if (network->fuses()) stage.rules = {"layers"};
  stage.encoder = network;
  stage.facets.set(NetworkLayers{network, texts});
  return stage;
}

}  // namespace

StageBuilder read_network(StageTables& tables) {
  tables.objective = "none";
  tables.needs_optimizer = false;
  tables.plots = tables.plots_above = {"filters", "feature_maps"};
  tables.fuse = read_fuse(tables.config.table("train"));
  const std::vector<std::string> layers = tables.config.table("model").texts("layers");
  return [layers, fuse = tables.fuse](const StageContext& context) { return build(layers, fuse, context); };
}

}  // namespace basin

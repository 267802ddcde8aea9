#include "config/reader.h"
#include "models/layers.h"
#include "training/kinds/kind.h"

/// "network": a network from a list of layers, with a random start and nothing that trains it by itself:
/// random features, or, under protocol = "supervised" or "layerwise_fine_tune", what the head trains.
namespace basin {
namespace {

Stage build(const std::vector<std::string>& texts, const StageContext& context) {
  Stage stage;
  stage.inputs = {{"image", stage.graph.real("x", context.sample_shape)}};
  stage.encoder =
      build_layers(read_layers(texts, context.sample_shape), context.key.fold("model"), context.placement);
  return stage;
}

}  // namespace

StageBuilder read_network(StageTables& tables) {
  tables.objective = "none";
  tables.needs_optimizer = false;
  const std::vector<std::string> layers = tables.config.table("model").texts("layers");
  return [layers](const StageContext& context) { return build(layers, context); };
}

}  // namespace basin

#include <fmt/format.h>

#include <cmath>

#include "config/reader.h"
#include "models/architectures.h"
#include "models/layers.h"
#include "tensor/error.h"
#include "training/code_words.h"
#include "training/kinds/kind.h"
#include "training/plots/layers.h"

/// "network": a network from a list of layers, with a random start and nothing that trains it by itself:
/// random features, or, under protocol = "supervised" or "layerwise_fine_tune", what the head trains.
namespace basin {
namespace {

/// The layers for samples of a shape.
using Layers = std::function<std::vector<std::string>(const Shape& sample)>;

Layers always(std::vector<std::string> layers) {
  return [layers = std::move(layers)](const Shape& /*any*/) { return layers; };
}

Layers read_mlp(const Reader& in) {
  std::vector<Index> widths;
  for (const double width : in.table().numbers("widths")) {
    if (!(width >= 1.0 && width <= static_cast<double>(kMostCounted)) || width != std::floor(width))
      in.table().fail("widths",
                      fmt::format("expected whole numbers of 1 to {}, received {}", kMostCounted, width));
    widths.push_back(static_cast<Index>(width));
  }
  if (widths.empty())
    in.table().fail("widths", "expected at least one layer's number of units, received none");
  const std::string activation = in.table().text("activation", "relu");
  return always(mlp_layers(widths, activation, in.within("dropout", 0.0, 0.999, 0.0)));
}

Layers published(const Architecture& architecture) {
  return [&architecture](const Shape& sample) {
    const Shape& wanted = architecture.sample;
    if (sample != wanted && !(wanted.size() == 2 && sample == Shape{1, wanted[0], wanted[1]})) {
      throw Error(
          fmt::format("[network] expected samples of {} for the architecture {}, received {}; take other "
                      "data, or write a list of layers for these into model.layers",
                      to_string(wanted), architecture.name, to_string(sample)));
    }
    return architecture.layers;
  };
}

Layers read_layers_or_architecture(const Reader& in) {
  const bool has_layers = in.table().has("layers"), has_architecture = in.table().has("architecture");
  if (has_layers == has_architecture) {
    in.table().fail(
        "layers", fmt::format("expected either layers or an architecture of a network, received {}; {}",
                              has_layers ? "both" : "neither",
                              has_layers ? "remove one" : "add one of model.layers and model.architecture"));
  }
  if (has_layers) return always(in.table().texts("layers"));
  std::vector<std::string> names{"mlp"};
  for (const Architecture& each : architectures()) names.push_back(each.name);
  const std::string name = in.table().choice("architecture", names);
  for (const Architecture& each : architectures()) {
    if (each.name == name) return published(each);
  }
  return read_mlp(in);
}

Stage build(const Layers& layers, Fuse fuse, const StageContext& context) {
  Stage stage;
  stage.inputs = {{"image", stage.graph.real("x", context.sample_shape)}};
  const std::vector<std::string> texts = layers(context.sample_shape);
  const auto network = build_layers(read_layers(texts, context.sample_shape), context.key.fold("model"),
                                    context.placement, {.fused = fuse == Fuse::Auto});
  if (network->fuses()) stage.rules = {"layers"};
  stage.encoder = network;
  stage.facets.set(CodeWords{"outputs of the network"});
  stage.facets.set(NetworkLayers{network, texts});
  return stage;
}

}  // namespace

StageBuilder read_network(StageTables& tables) {
  tables.objective = "none";
  tables.plots = tables.plots_above = {"filters", "feature_maps"};
  tables.fuse = read_fuse(tables.config.table("train"));
  const Layers layers = read_layers_or_architecture(Reader(tables.config.table("model")));
  return [layers, fuse = tables.fuse](const StageContext& context) { return build(layers, fuse, context); };
}

}  // namespace basin

#include "training/plots/layers.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "modules/activation.h"
#include "modules/images/conv2d.h"
#include "modules/images/locally_connected2d.h"
#include "modules/normalisation/batch_norm.h"
#include "results/pictures/sheet.h"
#include "tensor/error.h"
#include "training/plots/images.h"

namespace basin {
namespace {

template <class M>
bool is(const Module& module) {
  return dynamic_cast<const M*>(&module) != nullptr;
}

bool makes_maps(const Module& module) {
  return is<Conv2d>(module) || is<ConvTranspose2d>(module) || is<LocallyConnected2d>(module);
}

/// Modules that were put below all layers that people wrote.
std::size_t below(const NetworkLayers& layers) {
  return layers.network->modules().size() - layers.texts.size();
}

const std::string& text_of(const NetworkLayers& layers, std::size_t module) {
  return layers.texts.at(module - below(layers));
}

}  // namespace

Picturable first_filters(const NetworkLayers& layers, const Shape& sample) {
  for (const Parameter& parameter : layers.network->parameters()) {
    const Tensor& w = parameter.tensor();
    if (w.rank() == 4) {
      const bool is_colour = w.dim(1) == 3;
      return {on_host(is_colour ? w : slice(Value(w), 1, 0, 1).tensor()),
              {is_colour ? 3 : 1, w.dim(2), w.dim(3)}};
    }
    if (w.rank() == 2 && w.dim(0) == element_count(sample) && w.dim(1) > 1)
      return {on_host(transpose(Value(w), {1, 0}).tensor()), sample};
    if (w.rank() > 1) break;
  }
  throw Error(fmt::format(
      "[filters] expected a first layer conv or dense on samples that are pictures, received samples of {} "
      "and layers that begin with '{}'",
      to_string(sample), layers.texts.empty() ? "" : layers.texts.front()));
}

std::vector<FeatureMaps> feature_maps(const NetworkLayers& layers, const Value& samples) {
  const auto& modules = layers.network->modules();
  const std::vector<Value> outputs = layers.network->outputs(samples);
  std::vector<FeatureMaps> found;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    if (!makes_maps(*modules[i])) continue;
    std::string name = fmt::format("layer {}: {}", i + 1 - below(layers), text_of(layers, i));
    std::size_t last = i;
    const auto follows = [&](const Module& module) {
      return is<Activation>(module) || is<BatchNorm>(module);
    };
    while (last + 1 < modules.size() && follows(*modules[last + 1])) {
      ++last;
      name += ", " + text_of(layers, last);
    }
    found.push_back({std::move(name), outputs[last].tensor()});
  }
  return found;
}

void check_filters(const Stage& stage) {
  const auto& layers = need<NetworkLayers>(stage, "filters");
  const Picturable rows = first_filters(layers, stage.inputs.at(0).variable.shape);
  (void)picture_shape(rows.pixels, "filters");
}

/// Zero is grey; each filter by its own largest weight unless asked otherwise.
void draw_filters(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  const Picturable rows =
      first_filters(need<NetworkLayers>(view.stage, "filters"), view.stage.inputs.at(0).variable.shape);
  save_png(tile(rows.rows, sized(drawing.tiles, rows.pixels)), drawing.path);
}

void check_feature_maps(const Stage& stage) {
  const auto& layers = need<NetworkLayers>(stage, "feature_maps");
  (void)sample_picture_shape(stage, "feature_maps");
  if (std::ranges::none_of(layers.network->modules(), [](const auto& m) { return makes_maps(*m); }))
    throw Error("[feature_maps] expected a network with a convolution, received one without");
}

/// Of the first test samples; at most 16 maps of a layer.
void draw_feature_maps(const Drawing& drawing, const StageView& view, const Store& /*store*/) {
  constexpr Index kSamples = 3, kMaps = 16;
  const Samples& samples = judged(view).samples;
  const Index wanted = drawing.tiles.limit > 0 ? drawing.tiles.limit : kSamples;
  const State batch = first_samples(view, std::min(samples.count, wanted));
  const Value& x = batch[view.stage.inputs.at(0).variable];
  const std::vector<std::string> names = label_names(view, samples, x.dim(0));
  std::vector<SheetPart> parts{{.heading = "samples",
                                .pictures = sample_pictures(x.tensor(), samples),
                                .columns = static_cast<int>(x.dim(0)),
                                .captions = names}};
  for (const FeatureMaps& layer : feature_maps(need<NetworkLayers>(view.stage, "feature_maps"), x)) {
    const Tensor& maps = layer.maps;
    const Index shown = std::min(maps.dim(1), kMaps), height = maps.dim(2), width = maps.dim(3);
    const Tensor few = on_host(slice(Value(maps), 1, 0, shown).tensor());
    // Maps that are nowhere below 0 from black up, by the largest of the layer; else 0 is grey.
    const double most = max(reshape(Value(few), {-1}), 0).item(),
                 least = -max(reshape(-Value(few), {-1}), 0).item();
    const bool is_signed = least < 0.0;
    const Value scaled = is_signed || most == 0.0 ? Value(few) : Value(few) * (1.0 / most);
    const TileOptions tiles = sized({.is_signed = is_signed, .scale = TileScale::Global}, {height, width});
    parts.push_back(
        {.heading =
             fmt::format("{}: {}{} maps of {} x {}", layer.name,
                         shown < maps.dim(1) ? fmt::format("{} of ", shown) : "", maps.dim(1), height, width),
         .pictures = small_pictures(scaled.tensor().reshaped({x.dim(0) * shown, height, width}), tiles),
         .columns = static_cast<int>(shown),
         .rows = names});
  }
  save_png(sheet(parts, {.title = drawing.title, .least_width = drawing.tiles.least_width}), drawing.path);
}

}  // namespace basin

#include "training/plots/layers.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "models/layers.h"
#include "modules/activation.h"
#include "modules/dropout.h"
#include "modules/images/conv1d.h"
#include "modules/images/conv2d.h"
#include "modules/images/locally_connected2d.h"
#include "modules/linear.h"
#include "modules/normalisation/batch_norm.h"
#include "modules/normalisation/layer_norm.h"
#include "modules/normalisation/local_contrast.h"
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

bool normalises(const Module& module) {
  return is<BatchNorm>(module) || is<LayerNorm>(module) || is<LocalContrast>(module);
}

/// Modules that were put below all layers that people wrote.
std::size_t below(const NetworkLayers& layers) {
  return layers.network->modules().size() - layers.texts.size();
}

const std::string& text_of(const NetworkLayers& layers, std::size_t module) {
  return layers.texts.at(module - below(layers));
}

/// A layer's weights, an output a row: [outputs, part of what it sees...]. Undefined where they are others at
/// each place, and of a dense layer that does not see samples.
Value weights_of_outputs(const Module& module, const Shape& sample, Index outputs) {
  if (const auto* parts = dynamic_cast<const Sequential*>(&module))  // a dense layer flattens first
    return weights_of_outputs(*parts->modules().back(), sample, outputs);
  const Value w = module.parameters().front().value().detached();
  if (is<Conv1d>(module) || is<Conv2d>(module)) return w;
  Shape shape = w.shape();
  if (is<ConvTranspose1d>(module) || is<ConvTranspose2d>(module)) {
    // [inputs, outputs / groups, extents...]: the g-th part of the outputs sees the g-th part of the inputs.
    const Index groups = outputs / shape[1], inputs = shape[0] / groups;
    const Value parted = reshape(w, {groups, inputs, shape[1], -1});
    shape[0] = outputs;
    shape[1] = inputs;
    return reshape(transpose(parted, {0, 2, 1, 3}), shape);
  }
  if (is<Linear>(module) && shape[0] == element_count(sample)) {
    shape = sample;
    shape.insert(shape.begin(), outputs);
    return reshape(transpose(w, {1, 0}), shape);
  }
  return {};
}

}  // namespace

Picturable first_filters(const NetworkLayers& layers, const Shape& sample) {
  const std::vector<Layer> read = read_layers(layers.texts, sample);
  const auto first = std::ranges::find_if(read, [](const Layer& layer) { return layer.multiply_adds > 0; });
  if (first == read.end())
    throw Error("[filters] expected a layer with weights, received none; leave it out");
  const auto at = static_cast<std::size_t>(first - read.begin());
  const Module& layer = *layers.network->modules()[at];
  const Value w = weights_of_outputs(layer, sample, first->out.front());
  if (!w.defined()) {
    throw Error(fmt::format(
        "[filters] expected a first layer that is a convolution, or dense on the samples, received layer {} "
        "'{}', {}; take another plot",
        at + 1 - below(layers), first->text,
        is<LocallyConnected2d>(layer)
            ? "whose weights are others at each place"
            : "which sees what others have made of samples of " + to_string(sample)));
  }
  Shape seen(w.shape().begin() + 1, w.shape().end());
  const bool is_colour = seen.size() == 3 && seen[0] == 3;
  if (seen.size() == 3 && !is_colour) seen = {1, seen[1], seen[2]};
  Shape rows = picture_shape(seen, "filters");
  rows.insert(rows.begin(), -1);
  return {on_host(reshape(w, rows).tensor()), seen};
}

std::vector<FeatureMaps> feature_maps(const NetworkLayers& layers, const Value& samples) {
  const auto& modules = layers.network->modules();
  const std::vector<Value> outputs = layers.network->outputs(samples);
  const auto follows = [](const Module& module) {
    return is<Activation>(module) || is<Dropout>(module) || normalises(module);
  };
  std::vector<FeatureMaps> found;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    if (!makes_maps(*modules[i]) && !(normalises(*modules[i]) && outputs[i].rank() == 4)) continue;
    std::string name = fmt::format("layer {}: {}", i + 1 - below(layers), text_of(layers, i));
    for (; i + 1 < modules.size() && follows(*modules[i + 1]); ++i) name += ", " + text_of(layers, i + 1);
    found.push_back({std::move(name), outputs[i].tensor()});
  }
  return found;
}

void check_filters(const Stage& stage) {
  const auto& layers = need<NetworkLayers>(stage, "filters");
  (void)first_filters(layers, stage.inputs.at(0).variable.shape);
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

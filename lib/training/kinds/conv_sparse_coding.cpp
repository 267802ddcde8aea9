#include "models/conv_sparse_coding.h"

#include <algorithm>

#include "config/reader.h"
#include "energy/minimise/dictionary.h"
#include "training/dictionary.h"
#include "training/kinds/shared.h"

namespace basin {
namespace {

constexpr Index kTogether = 16;  // images whose codes stand in memory at a time

/// Convolutional sparse coding, and predictive sparse decomposition with an encoder.
struct Settings {
  CodeSettings code;
  Index filters = 0, filter_size = 9;
  Index samples = 0;  // of the evaluation
};

ConvPsd make_model(const Settings& settings, const StageContext& context) {
  const ConvSparseCodingOptions code{.image_shape = context.sample_shape,
                                     .filters = settings.filters,
                                     .filter = {settings.filter_size, settings.filter_size},
                                     .lambda = settings.code.lambda,
                                     .non_negative = settings.code.non_negative,
                                     .placement = context.placement,
                                     .key = context.key.fold("model")};
  if (settings.code.encodes) {
    return conv_psd({.code = code, .alpha = settings.code.alpha, .encoder = settings.code.encoder});
  }
  ConvSparseCoding model = conv_sparse_coding(code);
  return {.graph = model.graph, .y = model.y, .z = model.z, .decoder = model.decoder, .encoder = nullptr};
}

void start(const Settings& settings, const ConvPsd& model, const Source& images, Key key, const Say& say) {
  const State head = samples_between(images, 0, std::min<Index>(images.count(), kTogether), key);
  if (settings.code.from_data) {
    // As idle filters are replaced: by patches of images.
    const Tensor idle = Tensor::full({settings.filters}, 1.0, {Dtype::F64, Device::Cpu});
    replace_idle(model.graph, model.graph.parameter("z.y.weight"), head, idle, 1, key);
  }
  if (model.encoder) start_encoder(model, settings.code.lambda);
  warn_of_lambda(settings.code, model.graph, model.z, head, say);
}

Stage build(const Settings& settings, const StageContext& context) {
  const ConvPsd model = make_model(settings, context);
  const auto minimum = code_minimum(settings.code, model.z, model.y, model.encoder);
  Stage stage;
  stage.graph = model.graph;
  stage.objective = minimum;
  stage.start = [settings, model, key = context.key.fold("model").fold("start")](
                    const Source& images, const Say& say) { start(settings, model, images, key, say); };
  if (settings.filters > 1) {
    stage.monitors = {"coherence"};
    stage.measures = {"coherence"};
  }
  complete_codes(stage, model.y,
                 {.minimum = minimum,
                  .decoder = model.decoder,
                  .encoder = model.encoder,
                  .samples = settings.samples,
                  .monitored = 8,
                  .together = kTogether,
                  .per_pixel = true},
                 4);
  Dictionary dictionary{.elements = [model] { return model.decoder->weight().tensor(); },
                        .shape = {settings.filter_size, settings.filter_size},
                        .of_samples = false,
                        .unit_norm = true};
  if (model.encoder) dictionary.filters = [model] { return model.encoder->weight().tensor(); };
  stage.facets.set(std::move(dictionary));
  return stage;
}

StageBuilder read(StageTables& tables, bool encodes) {
  tables.plots = {"dictionary", "reconstructions"};
  if (encodes) tables.plots.emplace_back("encoder");
  Settings settings;
  settings.code.encodes = encodes;
  const Reader model(tables.config.table("model"));
  settings.filters = model.count("filters", 1);
  settings.filter_size = model.count("filter_size", 1, 9);
  read_code_model(tables.config, "data", settings.code);
  read_inference(tables, {"fista", "ista"}, 1e-2, 500, settings.code);
  const Reader train(tables.config.table("train"));
  tables.objective = train.table().choice("objective", {"sgd"}, "sgd");
  settings.code.dead_after = train.count("dead_after", 0, 50);
  settings.samples = Reader(tables.config.table("evaluate")).count("samples", 1, 100);
  if (tables.smoke) {
    settings.samples = std::min<Index>(settings.samples, 4);
    settings.code.infer.max_steps = std::min<Index>(settings.code.infer.max_steps, 20);
    tables.smoke_samples = kTogether;  // an image costs as much as many samples of other kinds
  }
  return [settings](const StageContext& context) { return build(settings, context); };
}

}  // namespace

StageBuilder read_conv_sparse_coding(StageTables& tables) { return read(tables, false); }
StageBuilder read_conv_psd(StageTables& tables) { return read(tables, true); }

}  // namespace basin

#include "training/stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/article.h"
#include "tensor/error.h"

namespace basin {
namespace {

Source source_of(const Stage& stage, const Samples& samples, const SourceOptions& options) {
  std::vector<Input> inputs = stage.inputs;
  inputs.at(0).column = samples.first().name();
  return Source(samples, inputs, stage.placement, options);
}

}  // namespace

Source stage_source(const Stage& stage, const Samples& samples) {
  return stage_source(stage, samples, stage.pixels.scale);
}

Source stage_source(const Stage& stage, const Samples& samples, PixelScale scale) {
  BatchOptions pixels = stage.pixels;
  pixels.scale = scale;
  pixels.augment = {};
  return source_of(stage, samples, {.pixels = pixels});
}

Source stage_means(const Stage& stage, const Samples& samples) {
  const PixelScale scale = stage.pixels.scale;
  return stage_source(stage, samples, scale == PixelScale::Stochastic ? PixelScale::Unit : scale);
}

bool sees_labels(const Stage& stage, const Dataset& data) {
  const Column* labels = data.train.labels();
  return labels != nullptr && std::any_of(stage.inputs.begin() + 1, stage.inputs.end(),
                                          [&](const Input& input) { return input.column == labels->name(); });
}

const Samples& training_samples(const Stage& stage, const Dataset& data) {
  return sees_labels(stage, data) ? data.labelled : data.train;
}

Source training_batches(const Stage& stage, const Dataset& data) {
  if (stage.batches) return stage.batches(data.train.count);
  return source_of(stage, training_samples(stage, data),
                   {.pixels = stage.pixels, .order = stage.order, .residency = stage.placement.device});
}

std::vector<Parameter> stored_parameters(const Stage& stage) {
  std::vector<Parameter> all = stage.graph.parameters();
  all.insert(all.end(), stage.buffers.begin(), stage.buffers.end());
  if (stage.objective) {
    for (const Parameter& own : stage.objective->parameters()) all.push_back(own);
  }
  return all;
}

void refuse_facet(const char* who, const char* what, const std::string& kind) {
  throw Error(fmt::format("[{}] expected a stage with {}, received {}, which has none", who, what,
                          with_article(kind)));
}

}  // namespace basin

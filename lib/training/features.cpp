#include "training/features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "training/experiment.h"
#include "training/measures/codes.h"

namespace basin {
namespace {

Store load_layer(const std::string& file) {
  if (!std::filesystem::exists(file)) {
    throw Error(
        fmt::format("[features] {}: expected the results of the layer below, found no such file; run its "
                    "experiment first",
                    file));
  }
  return Store::load(file);
}

/// Throws Error unless the files of the layers below end at an experiment with data of its own.
void refuse_circles(Plan plan) {
  std::vector<std::string> seen;
  while (plan.data.name == "features") {
    const std::string& file = plan.data.options.path;
    const std::string place = std::filesystem::weakly_canonical(file).string();
    if (std::find(seen.begin(), seen.end(), place) != seen.end()) {
      throw Error(
          fmt::format("[features] {}: its experiment has its samples from features of the same file; run the "
                      "layer below again",
                      file));
    }
    seen.push_back(place);
    plan = plan_of(load_layer(file));
  }
}

/// The first `wanted` samples, all when 0; no more than 400 of them in a smoke run.
Samples some(const Samples& all, Index wanted, const Plan& plan, const char* split) {
  constexpr Index kSmoke = 400;
  if (wanted > all.count) {
    throw Error(fmt::format("[features] {} has {} {} samples, received data.{} = {}; 0 takes all",
                            plan.data.options.path, all.count, split, split, wanted));
  }
  const Index count = wanted > 0 ? wanted : all.count;
  return all.head(plan.smoke ? std::min(count, std::max(kSmoke, plan.train.batch)) : count);
}

/// |g(y)|: shrinkage gives codes of both signs, of which a next layer needs to know only how large they are
/// (Jarrett, Kavukcuoglu, Ranzato, LeCun 2009, "What is the best multi-stage architecture for object
/// recognition?", sec. 2).
Samples encoded(const Stage& stage, const Samples& samples) {
  const Source all = stage_source(stage, samples);
  const Shape shape = stage.latents.at(0).shape;
  const Tensor codes({samples.count, element_count(shape)});
  for (Index first = 0; first < samples.count; first += kChunk) {
    const Index last = std::min(first + kChunk, samples.count);
    const State batch = samples_between(all, first, last, stage.key.fold("features"));
    const Value code = stage.encoder->forward(batch[stage.inputs.at(0).variable]);
    codes.rows(first, last).copy_from(abs(code).detached().tensor().to(codes.placement()));
  }
  Samples made{real_column("code", codes)};
  for (const Column& column : samples.columns) {
    if (&column != &samples.first()) made.add(column);  // labels stay with their samples
  }
  return made;
}

}  // namespace

Dataset load_features(const Plan& plan) {
  refuse_circles(plan);
  const std::string& file = plan.data.options.path;
  const Store store = load_layer(file);
  const Plan below = plan_of(store);
  if (store.text("/experiment/status") != "complete") {
    throw Error(
        fmt::format("[features] {}: expected a complete experiment, received one that is still training; "
                    "finish it by --resume",
                    file));
  }
  Dataset data = load_data(below);
  data.train = some(data.train, plan.data.options.train, plan, "train");
  data.test = some(data.test, plan.data.options.test, plan, "test");
  const Stage stage = stage_of(store, below, Device::Cpu);
  if (!stage.facets.get<Codes>() || !stage.facets.get<Codes>()->encoder || !stage.pictures) {
    throw Error(
        fmt::format("[features] {}: expected a model with an encoder (psd, psd_warm_start), received a {}",
                    file, below.kind->name));
  }
  Dataset features{.name = "features",
                   .train = encoded(stage, data.train),
                   .test = encoded(stage, data.test),
                   .preprocessing = stage.pictures(data.preprocessing)};
  const double square = mean(basin::square(Value(features.train.values()))).item();
  if (!(square > 0.0))
    throw Error(
        fmt::format("[features] {}: its encoder gives zero for every sample; lower its lambda", file));
  features.preprocessing.scale = 1.0 / std::sqrt(square);
  for (Samples* part : {&features.train, &features.test}) {
    Column& codes = part->columns.front();
    codes = real_column(codes.name(), (Value(codes.reals()) * features.preprocessing.scale).tensor());
  }
  return features;
}

}  // namespace basin

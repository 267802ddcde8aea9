#include "training/experiment/fine_tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "modules/activation.h"
#include "training/everywhere.h"
#include "training/experiment/stage_run.h"
#include "training/plots/layers.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kWatched = 1000;  // samples
constexpr double kNear = 0.01;
constexpr const char* kStart = "/fine_tune/start/";

/// Those of a network, behind each of its activations.
void add_layers(const Stage& stage, const NetworkLayers& layers, const Value& x,
                std::vector<LayerState>& states) {
  const std::vector<Value> outputs = layers.network->outputs(x);
  for (std::size_t i = 0, n = 0; i < outputs.size(); ++i) {
    if (dynamic_cast<const Activation*>(layers.network->modules()[i].get()) == nullptr) continue;
    states.push_back(layer_state(fmt::format("{}: layer {}", stage.name, ++n), outputs[i]));
  }
}

double norm(const Value& numbers) { return std::sqrt(sum(square(numbers)).item()); }

}  // namespace

LayerState layer_state(std::string name, const Value& activations) {
  const Value codes = flatten(activations.detached());
  const Value highest = max(codes, 0), lowest = -max(-codes, 0);
  const double most = max(highest, 0).item(), least = -max(-lowest, 0).item();
  const bool is_between = least >= -1.0 && most <= 1.0;
  const double bottom = least < 0.0 ? -1.0 : 0.0;
  LayerState state{.name = std::move(name), .constant = mean(step(kNear - (highest - lowest))).item()};
  if (is_between || least >= 0.0) state.off = mean(step(bottom + kNear - codes)).item();
  if (is_between) state.on = mean(step(codes - (1.0 - kNear))).item();
  return state;
}

std::vector<LayerState> layer_states(const std::vector<Stage>& stages, const Samples& samples) {
  std::vector<LayerState> states;
  const Stage& first = stages.front();
  const State batch = samples_between(whole_means(first, samples), 0, std::min(samples.count, kWatched),
                                      first.key.fold("features"));
  const Context context{.lengths = batch.context().lengths};
  Value x = batch[whole_variable(first)];
  for (const Stage& stage : stages) {
    const bool is_of_patches = stage.facets.get<Everywhere>() != nullptr;
    const auto* layers = is_of_patches ? nullptr : stage.facets.get<NetworkLayers>();
    if (layers != nullptr) add_layers(stage, *layers, x, states);
    x = passed_on(stage)->forward(x, context).detached();
    const bool is_network = layers != nullptr;
    if (!is_network && stage.objective) states.push_back(layer_state(stage.name, x));
  }
  return states;
}

void note_layers(const std::vector<Stage>& stages, const Samples& samples, Store& results) {
  std::vector<std::string> names;
  std::vector<double> off, on, constant;
  for (LayerState& layer : layer_states(stages, samples)) {
    names.push_back(std::move(layer.name));
    off.push_back(layer.off);
    on.push_back(layer.on);
    constant.push_back(layer.constant);
  }
  results.put_texts("/fine_tune/layer", std::move(names));
  results.put("/fine_tune/off", std::move(off));
  results.put("/fine_tune/on", std::move(on));
  results.put("/fine_tune/constant", std::move(constant));
}

void note_start(const Stage& head, Store& results) {
  for (const Parameter& parameter : trained_parameters(head))
    results.put(kStart + parameter.name(), parameter.tensor());
}

void note_distance(const Stage& head, Store& results) {
  if (!results.has("/fine_tune/start")) return;
  std::vector<std::string> names;
  std::vector<double> norms, moved;
  for (const Parameter& parameter : trained_parameters(head)) {
    const Value now(parameter.tensor().to(Device::Cpu)), before(results.tensor(kStart + parameter.name()));
    names.push_back(parameter.name());
    norms.push_back(norm(before));
    moved.push_back(norm(now - before));
  }
  results.remove("/fine_tune/start");
  results.put_texts("/fine_tune/parameter", std::move(names));
  results.put("/fine_tune/norm", std::move(norms));
  results.put("/fine_tune/moved", std::move(moved));
}

}  // namespace basin

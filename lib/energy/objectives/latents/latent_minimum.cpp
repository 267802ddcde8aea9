#include "energy/objectives/latents/latent_minimum.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "energy/minimise/dictionary.h"
#include "tensor/error.h"

namespace basin {
namespace {

double mean_of(const Tensor& numbers) {
  double sum = 0.0;
  for (const double number : numbers.values()) sum += number;
  return numbers.size() > 0 ? sum / static_cast<double>(numbers.size()) : 0.0;
}

}  // namespace

LatentMinimum::LatentMinimum(Variable z, std::shared_ptr<const Transition> transition,
                             LatentMinimumOptions options)
    : z_(std::move(z)), transition_(std::move(transition)), options_(std::move(options)) {
  if (transition_ == nullptr)
    throw Error("[latent_minimum] expected a transition, received a null pointer; give it a Fista(z)");
  if (options_.dead_after > 0 && options_.unit_norm.empty()) {
    throw Error(
        "[latent_minimum] expected the name of a dictionary in unit_norm where idle atoms are replaced, "
        "received none");
  }
  if (options_.online && !(options_.online->forget >= 0.0 && std::isfinite(options_.online->forget))) {
    throw Error(
        fmt::format("[latent_minimum] expected online.forget >= 0, received {}", options_.online->forget));
  }
}

Inferred LatentMinimum::minimum(const FactorGraph& graph, const State& batch, Key key) const {
  State state = batch;
  if (options_.start) state.set(z_, options_.start(batch).detached());
  return infer(options_.inferred_by ? *options_.inferred_by : graph, z_, *transition_, state, options_.infer,
               key);
}

Evaluation LatentMinimum::evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                                   EvaluateOptions options) const {
  if (options.reduce && (options_.online || options_.dead_after > 0)) {
    throw Error(
        "[latent_minimum] expected whole batches where dictionaries learn online or idle atoms are replaced, "
        "received a slice; switch both off, or EvaluateOptions::reduce");
  }
  const Inferred inferred = minimum(graph, batch, key.fold("infer"));
  const Value loss = mean(graph.energy_touching({z_}, inferred.state));
  std::vector<bool> wants(graph.parameters().size(), false);
  for (const FactorGraph::Term& term : graph.touching(z_)) {
    for (const Parameter& parameter : term.factor->parameters()) {
      const std::size_t i = graph.index_of(parameter);
      wants[i] = options.wanted(i);
    }
  }
  if (options_.online) {
    options_.online->add(graph, z_, inferred.state, carry);
    wants[graph.index_of(graph.parameter(options_.online->dictionary))] = false;
  }
  options.wants = std::move(wants);
  Evaluation evaluation = differentiate(loss, graph, inferred.state.batch(), options);
  const Value& z = inferred.state[z_];
  if (options_.dead_after > 0) {
    const std::string name = "idle." + z_.name;
    const Placement host = {Dtype::F64, Device::Cpu};  // a checkpoint may have put it elsewhere
    Tensor idle = recall(carry, name, {z.dim(1)}, host);
    if (!idle.defined()) idle = carry[name] = Tensor::zeros({z.dim(1)}, host);
    count_idle(z, idle);
  }
  if (options.metrics) {
    evaluation.metrics["unconverged"] =
        static_cast<double>(inferred.unconverged) / static_cast<double>(z.dim(0));
    evaluation.metrics["gap"] = mean_of(inferred.measure);
    evaluation.metrics["steps"] = mean_of(inferred.steps);
    evaluation.metrics["active"] = mean(step(abs(z.detached()))).item();
  }
  return evaluation;
}

HeldLoss LatentMinimum::held_loss(const FactorGraph& graph, std::span<const State> batches,
                                  const Carry& /*carry*/, Key key) const {
  const State state = minimum(graph, batches.front(), key.fold("infer")).state;
  return {.value = [this, &graph, state] { return mean(graph.energy_touching({z_}, state)).item(); }};
}

void LatentMinimum::finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                                const std::vector<bool>& wants) const {
  const auto wanted = [&](const std::string& name) {
    return wants.empty() || wants[graph.index_of(graph.parameter(name))];
  };
  const bool moves = options_.online && wanted(options_.online->dictionary);
  if (moves) options_.online->move(graph, carry);
  const auto idle = carry.find("idle." + z_.name);
  std::vector<Index> replaced;
  for (const std::string& name : options_.unit_norm) {
    if (!wanted(name)) continue;
    const Parameter dictionary = graph.parameter(name);
    scale_to_unit_norm(dictionary.tensor());
    if (options_.dead_after == 0 || idle == carry.end()) continue;
    const std::vector<Index> now =
        replace_idle(graph, dictionary, batch, idle->second, options_.dead_after, key.fold(name));
    replaced.insert(replaced.end(), now.begin(), now.end());
  }
  for (const Index atom : replaced) {
    idle->second.host<double>()[atom] = 0.0;
    if (moves) OnlineDictionary::forget_atom(atom, carry);
  }
}

Rules LatentMinimum::rules(const FactorGraph& graph) const {
  Rules all = graph.rules();
  const FactorGraph& energy = options_.inferred_by ? *options_.inferred_by : graph;
  for (std::string& rule : inference_rules(energy, z_, *transition_, options_.infer))
    all.push_back(std::move(rule));
  return all;
}

}  // namespace basin

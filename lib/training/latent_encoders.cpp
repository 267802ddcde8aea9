#include "training/latent_encoders.h"

#include <utility>

#include "energy/marginal/conditional.h"
#include "energy/sample_ops.h"

namespace basin {

ConditionalMean::ConditionalMean(FactorGraph graph, Variable given, Variable wanted)
    : graph_(std::move(graph)), given_(std::move(given)), wanted_(std::move(wanted)) {}

Value ConditionalMean::forward(const Value& x, const Context& context) const {
  State state;
  state.in(context).set(given_, as_values(given_, x));
  return conditional(graph_, {wanted_}, state, {.differentiable = true}).front().mean();
}

std::vector<Parameter> ConditionalMean::parameters() const {
  std::vector<Parameter> parameters;
  for (const FactorGraph::Term& term : graph_.touching(wanted_)) {
    for (const Parameter& parameter : term.factor->parameters()) parameters.push_back(parameter);
  }
  return parameters;
}

MeanFieldMean::MeanFieldMean(FactorGraph graph, Variable given, Block units)
    : graph_(std::move(graph)), given_(std::move(given)), transition_(std::move(units), {.iterations = 50}) {}

Value MeanFieldMean::forward(const Value& x, const Context& context) const {
  State state;
  state.in(context).set(given_, as_values(given_, x.detached()));
  for (Index i = 0; i < transition_.options().iterations; ++i) state = transition_(graph_, state, Key(0));
  return state[transition_.units().back()];
}

LatentArgmin::LatentArgmin(FactorGraph graph, Variable given, std::shared_ptr<const LatentMinimum> minimum)
    : graph_(std::move(graph)), given_(std::move(given)), minimum_(std::move(minimum)) {}

Value LatentArgmin::forward(const Value& y, const Context& context) const {
  State state;
  state.in(context).set(given_, as_values(given_, y.detached()));
  return minimum_->minimum(graph_, state, Key(0).fold("encode")).state[minimum_->variable()];
}

std::shared_ptr<const Module> latent_encoder(const FactorGraph& graph, const Variable& given,
                                             const Block& latents) {
  if (latents.empty()) return nullptr;
  if (latents.size() > 1) return std::make_shared<const MeanFieldMean>(graph, given, latents);
  return std::make_shared<const ConditionalMean>(graph, given, latents.front());
}

}  // namespace basin

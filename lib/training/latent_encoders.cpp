#include "training/latent_encoders.h"

#include <utility>
#include <vector>

#include "energy/marginal/conditional.h"
#include "energy/sample/mean_field.h"
#include "energy/sample_ops.h"
#include "modules/function.h"

namespace basin {
namespace {

State clamped(const Variable& given, const Value& x, const Context& context) {
  State state;
  state.in(context).set(given, as_values(given, x));
  return state;
}

/// What `part` takes of p(wanted | given), by the parameters of the factors that read `wanted`.
template <class Part>
std::shared_ptr<const Module> of_conditional(const FactorGraph& graph, const Variable& given,
                                             const Variable& wanted, Part part) {
  std::vector<Parameter> parameters;
  for (const FactorGraph::Term& term : graph.touching(wanted)) {
    for (const Parameter& parameter : term.factor->parameters()) parameters.push_back(parameter);
  }
  const auto forward = [=](const Value& x, const Context& context) {
    const State state = clamped(given, x, context);
    return part(conditional(graph, {wanted}, state, {.differentiable = true}).front());
  };
  return std::make_shared<const Function>(forward, std::move(parameters));
}

}  // namespace

std::shared_ptr<const Module> conditional_mean(const FactorGraph& graph, const Variable& given,
                                               const Variable& wanted) {
  return of_conditional(graph, given, wanted, [](const Conditional& found) { return found.mean(); });
}

std::shared_ptr<const Module> conditional_input(const FactorGraph& graph, const Variable& given,
                                                const Variable& wanted) {
  return of_conditional(graph, given, wanted, [](const Conditional& found) { return found.input; });
}

std::shared_ptr<const Module> latent_argmin(const FactorGraph& graph, const Variable& given,
                                            std::shared_ptr<const LatentMinimum> minimum) {
  return std::make_shared<const Function>(
      [graph, given, minimum = std::move(minimum)](const Value& y, const Context& context) {
        const State state = clamped(given, y.detached(), context);
        return minimum->minimum(graph, state, Key(0).fold("encode")).state[minimum->variable()];
      });
}

std::shared_ptr<const Module> latent_encoder(const FactorGraph& graph, const Variable& given,
                                             const Block& latents) {
  if (latents.empty()) return nullptr;
  if (latents.size() == 1) return conditional_mean(graph, given, latents.front());
  const MeanField transition(latents, {.iterations = 50});
  return std::make_shared<const Function>([=](const Value& x, const Context& context) {
    State state = clamped(given, x.detached(), context);
    for (Index i = 0; i < transition.options().iterations; ++i) state = transition(graph, state, Key(0));
    return state[transition.units().back()];
  });
}

}  // namespace basin

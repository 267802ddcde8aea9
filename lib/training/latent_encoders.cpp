#include "training/latent_encoders.h"

#include <algorithm>
#include <utility>

#include "autograd/ops.h"
#include "energy/marginal/conditional.h"

namespace basin {
namespace {

/// x in the shape of a batch of a variable.
Value shaped(const Value& x, const Variable& variable) {
  Shape shape = variable.shape;
  shape.insert(shape.begin(), x.dim(0));
  return reshape(x, shape);
}

bool reads(const Factor& factor, const Variable& variable) {
  const std::vector<Variable> scope = factor.scope();
  return std::find(scope.begin(), scope.end(), variable) != scope.end();
}

}  // namespace

ConditionalMean::ConditionalMean(FactorGraph graph, Variable given, Variable wanted)
    : graph_(std::move(graph)), given_(std::move(given)), wanted_(std::move(wanted)) {}

Value ConditionalMean::forward(const Value& x, const Context& context) const {
  State state;
  state.in(context).set(given_, shaped(x, given_));
  return conditional(graph_, {wanted_}, state, {.differentiable = true}).front().mean();
}

std::vector<Parameter> ConditionalMean::parameters() const {
  std::vector<Parameter> parameters;
  for (const FactorGraph::Term& term : graph_.terms()) {
    if (!reads(*term.factor, wanted_)) continue;
    for (const Parameter& parameter : term.factor->parameters()) parameters.push_back(parameter);
  }
  return parameters;
}

LatentArgmin::LatentArgmin(FactorGraph graph, Variable given, std::shared_ptr<const LatentMinimum> minimum)
    : graph_(std::move(graph)), given_(std::move(given)), minimum_(std::move(minimum)) {}

Value LatentArgmin::forward(const Value& y, const Context& context) const {
  State state;
  state.in(context).set(given_, shaped(y.detached(), given_));
  return minimum_->minimum(graph_, state, Key(0).fold("encode")).state[minimum_->variable()];
}

}  // namespace basin

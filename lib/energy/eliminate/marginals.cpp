#include "energy/eliminate/marginals.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/marginal/closed_form.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// E(z, u) = -u.z: what one more input u to every unit adds.
class Input final : public Factor {
 public:
  Input(Variable z, Variable u) : variable_(std::move(z)), input_(std::move(u)) {}
  std::string name() const override { return "Input(" + variable_.name + ")"; }
  std::vector<Variable> scope() const override { return {variable_, input_}; }
  Value energy(const State& state) const override {
    return -sum_per_sample(state[variable_] * state[input_]);
  }
  Order order_in(const Variable& /*variable*/) const override { return Order::Affine; }
  bool reads_context() const override { return false; }

 private:
  Variable variable_, input_;
};

/// A graph with an input to each latent, and where these are.
struct WithInputs {
  WithInputs(const FactorGraph& graph, const Block& latents, const State& rest) : graph(graph) {
    for (const Variable& latent : resolved(graph, latents, rest)) {
      inputs.push_back(this->graph.real(latent.name + ".input", latent.shape));
      this->graph.add(Input(latent, inputs.back()));
    }
  }
  FactorGraph graph;
  Block inputs;
};

/// -d sum(eliminated) / d inputs at inputs of normal draws times `noise`.
std::vector<Value> slopes(const WithInputs& with, const Block& latents, const State& rest,
                          const EliminateOptions& options, Elimination how, double noise, Key key) {
  State at = rest.like();
  for (const Variable& variable : with.graph.variables()) {
    if (!rest.empty() && rest.has(variable)) at.set(variable, rest[variable]);
  }
  std::vector<Value> leaves;
  const Index rows = rest.empty() ? 1 : rest.batch();
  const Placement placement = rest.empty() ? with.graph.placement() : rest.placement();
  for (const Variable& input : with.inputs) {
    const Shape shape = batched(input, rows);
    leaves.push_back(
        Value::leaf(noise > 0.0 ? (Value(normal(key.fold(input.name), shape, placement)) * noise).tensor()
                                : Tensor::zeros(shape, placement)));
    at.set(input, leaves.back());
  }
  const Value energy = how == Elimination::Sum ? free_energy(with.graph, latents, at, options)
                                               : min_energy(with.graph, latents, at, options);
  return grad(-sum(energy), leaves, {.differentiable = options.differentiable});
}

}  // namespace

std::vector<Value> marginals(const FactorGraph& graph, const Block& latents, const State& rest,
                             const EliminateOptions& options) {
  return slopes(WithInputs(graph, latents, rest), latents, rest, options, Elimination::Sum, 0.0, Key(0));
}

State most_probable(const FactorGraph& graph, const Block& latents, const State& rest,
                    const EliminateOptions& options) {
  const WithInputs with(graph, latents, rest);
  const Value lowest = min_energy(graph, latents, rest, options);
  const bool exact = lowest.placement().dtype == Dtype::F64;
  // Equal energies share the slope; a little noise then tells them apart.
  constexpr int kTries = 4;
  for (int trial = 0; trial < kTries; ++trial) {
    const double noise = trial == 0 ? 0.0 : (exact ? 1e-9 : 1e-4) * std::pow(10.0, trial - 1);
    const std::vector<Value> found = slopes(with, latents, rest, options, Elimination::Minimum, noise,
                                            Key(0).fold("ties").fold(static_cast<std::uint64_t>(trial)));
    State state = rest.empty() ? rest.like() : rest;
    for (std::size_t i = 0; i < latents.size(); ++i) {
      Value value = found[i];
      if (latents[i].domain == Domain::Binary) value = step(value - 0.5);
      // A group without slope lies past a sequence's end.
      if (latents[i].domain == Domain::Categorical)
        value = largest(value, 1) * step(sum(value, {-1}, {.keep = true}) - 0.5);
      state.set(latents[i], value.detached());
    }
    const std::vector<double> energy = graph.energy(state).tensor().values(),
                              least = lowest.tensor().values();
    bool attained = true;
    for (std::size_t n = 0; n < energy.size(); ++n)
      attained = attained && energy[n] - least[n] <= (exact ? 1e-6 : 1e-3) * (1.0 + std::abs(least[n]));
    if (attained) return state;
  }
  throw Error(fmt::format(
      "[most_probable] expected a state of {} that attains the minimum, found none; is the energy "
      "in which they interact defined for inputs to its units?",
      to_string(latents)));
}

}  // namespace basin

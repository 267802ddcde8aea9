#include "energy/sample/continuous/hamiltonian.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// [1, D]; undefined where all are 1.
Value joined(const RealBlock& block, const State& state, const FactorGraph& graph,
             const Variances& variances) {
  if (variances.empty()) return {};
  std::vector<Value> parts;
  for (const Variable& variable : block.variables()) {
    const Index size = resolved(graph, variable, state).size();
    const auto found = variances.find(variable.name);
    parts.push_back(found == variances.end()
                        ? Value(Tensor::full({1, size}, 1.0, state.placement()))
                        : Value(found->second.to(state.placement()).reshaped({1, size})));
  }
  return parts.size() == 1 ? parts.front() : concat(parts, 1);
}

}  // namespace

void check_variances(const RealBlock& block, const Variances& variances) {
  for (const auto& [name, tensor] : variances) {
    const auto variable = std::find_if(block.variables().begin(), block.variables().end(),
                                       [&name = name](const Variable& each) { return each.name == name; });
    if (variable == block.variables().end()) {
      throw Error(fmt::format("[{}] expected variances of {}, received those of {}; leave them out",
                              block.who(), to_string(block.variables()), name));
    }
    if (!tensor.defined() || tensor.shape() != variable->shape) {
      throw Error(fmt::format("[{}] expected variances of {} of shape {}, received {}", block.who(), name,
                              to_string(variable->shape),
                              tensor.defined() ? to_string(tensor.shape()) : "an undefined tensor"));
    }
    for (const double number : tensor.values()) {
      if (number > 0.0 && std::isfinite(number)) continue;
      throw Error(fmt::format("[{}] expected variances > 0 of {}, received {}; leave such units at 1",
                              block.who(), name, number));
    }
  }
}

Hamiltonian::Hamiltonian(const RealBlock& block, const FactorGraph& graph, const State& state,
                         const Variances& variances)
    : block_(block), graph_(graph), state_(state), variances_(joined(block, state, graph, variances)) {}

Particle Hamiltonian::start(Key key) const {
  const Value q = block_.vector(state_), normals = block_.normals(graph_, state_, key);
  return {q, variances_.defined() ? normals / sqrt(variances_) : normals,
          block_.potential(graph_, state_, q)};
}

Value Hamiltonian::energy(const Particle& particle) const {
  return particle.potential.energy + 0.5 * dot_per_sample(particle.momentum, velocity(particle.momentum));
}

Value Hamiltonian::velocity(const Value& momentum) const {
  return variances_.defined() ? variances_ * momentum : momentum;
}

Particle Hamiltonian::leapfrog(const Particle& particle, const Value& time) const {
  const Value half = particle.momentum - 0.5 * time * particle.potential.slope;
  const Value q = particle.position + time * velocity(half);
  Potential there = block_.potential(graph_, state_, q);
  return {q, half - 0.5 * time * there.slope, there};
}

Value acceptance_of(const Value& fall) {
  const Value zeros = zeros_like(fall);
  // No comparison with a NaN holds.
  return exp(choose(step(fall + 1e4), minimum(fall, zeros), zeros - 1e4));
}

}  // namespace basin

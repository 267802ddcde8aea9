#include "energy/marginal/free_energy.h"

#include <cmath>
#include <numbers>

#include "autograd/ops.h"
#include "energy/marginal/conditional_expansion.h"

namespace basin {
namespace {

/// log of the sum (integral) over one variable of exp(drive.z - 1/2 curvature.z^2), by unit.
Value log_sum(Domain domain, const Value& drive, const Value& curvature) {
  switch (domain) {
    case Domain::Binary:
      return softplus(drive);
    case Domain::Categorical:
      return log_sum_exp(drive, -1);
    case Domain::Real:
    case Domain::NonNegative:
      break;
  }
  const double log_two_pi = std::log(2.0 * std::numbers::pi);
  const Value whole = 0.5 * (square(drive) / curvature - log(curvature) + log_two_pi);
  return domain == Domain::Real ? whole : whole + log_ndtr(drive / sqrt(curvature));
}

/// The maximum of the same exponent.
Value highest(Domain domain, const Value& drive, const Value& curvature) {
  switch (domain) {
    case Domain::Binary:
      return relu(drive);
    case Domain::Categorical:
      return max(drive, -1);
    case Domain::Real:
      return 0.5 * square(drive) / curvature;
    case Domain::NonNegative:
      break;
  }
  return 0.5 * square(relu(drive)) / curvature;
}

using PerUnit = Value (*)(Domain, const Value&, const Value&);

Value eliminate(const FactorGraph& graph, const Block& latents, const State& rest, PerUnit term) {
  const Expansion expansion = expand(graph, latents, rest);
  Value energy = expansion.energy;
  for (std::size_t i = 0; i < latents.size(); ++i) {
    energy = energy - sum_per_sample(term(latents[i].domain, expansion.drive[i], expansion.curvature[i]));
  }
  return energy;
}

}  // namespace

Value free_energy(const FactorGraph& graph, const Block& latents, const State& rest) {
  return eliminate(graph, latents, rest, log_sum);
}

Value min_energy(const FactorGraph& graph, const Block& latents, const State& rest) {
  return eliminate(graph, latents, rest, highest);
}

}  // namespace basin

#include "energy/marginal/closed_form.h"

#include <cmath>
#include <numbers>

#include "autograd/ops.h"

namespace basin {
namespace {

/// The maximum of the exponent drive.z - 1/2 curvature.z^2.
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

}  // namespace

Value log_normaliser(Domain domain, const Value& drive, const Value& curvature) {
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

Value closed_form(const Expansion& expansion, const Block& block, Elimination how) {
  Value energy = expansion.energy;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const auto term = how == Elimination::Sum ? log_normaliser : highest;
    energy = energy - sum_per_sample(term(block[i].domain, expansion.drive[i], expansion.curvature[i]));
  }
  return energy;
}

}  // namespace basin

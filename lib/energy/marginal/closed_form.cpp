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

/// log of the integral of exp(a z - z^2 / 2) over z >= 0, log(Phi(a) / phi(a)). As a^2/2 + log Phi(a) + ...
/// it is the small difference of large numbers where a is negative (at -100: 5000 - 5005.5), hence there by
/// Mills' ratio. Each side is evaluated a little beyond 0, so that no tie of a clamp is at a point that is
/// used.
Value log_half_normal(const Value& a) {
  const auto constant = [&](double value) { return Value(Tensor::full({}, value, a.placement())); };
  const Value above = maximum(a, constant(-1.0)), below = minimum(a, constant(1.0)), positive = step(a);
  const double log_two_pi = std::log(2.0 * std::numbers::pi);
  return positive * (0.5 * (square(above) + log_two_pi) + log_ndtr(above)) -
         (1.0 - positive) * log(inverse_mills(below));
}

}  // namespace

Value log_normaliser(Domain domain, const Value& drive, const Value& curvature) {
  switch (domain) {
    case Domain::Binary:
      return softplus(drive);
    case Domain::Categorical:
      return log_sum_exp(drive, -1);
    case Domain::NonNegative:
      return log_half_normal(drive / sqrt(curvature)) - 0.5 * log(curvature);
    case Domain::Real:
      break;
  }
  return 0.5 * (square(drive) / curvature - log(curvature) + std::log(2.0 * std::numbers::pi));
}

Value closed_form(const Expansion& expansion, const Block& block, Elimination how) {
  Value energy = expansion.energy;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const auto term = how == Elimination::Sum ? log_normaliser : highest;
    Value each = term(block[i].domain, expansion.drive[i], expansion.curvature[i]);
    if (!expansion.inside.empty() && expansion.inside[i].defined()) each = each * expansion.inside[i];
    energy = energy - sum_per_sample(each);
  }
  return energy;
}

}  // namespace basin

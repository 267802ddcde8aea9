#include "energy/minimise/criterion.h"

#include <fmt/format.h>

#include <optional>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

// Added to denominators that may be 0; small beside any energy, and normal in f32.
constexpr double kTiny = 1e-30;

}  // namespace

GapTerms gap_terms(const Split& split, const State& state) {
  const Variable& z = split.variable();
  Value gradient;
  const Value f = split.smooth_energy(state, &gradient).detached();
  gradient = gradient.detached();
  const std::optional<Value> norm =
      split.rough() != nullptr ? split.rough()->dual_norm(z, -gradient) : std::nullopt;
  if (!split.is_least_squares() || !norm) {
    throw Error(
        fmt::format("[relative_duality_gap] expected squared errors of affine modules and one norm of {}; "
                    "stop by StepSize instead",
                    z.name));
  }
  return {f, split.rough_energy(state).detached(), dot_per_sample(state[z].detached(), gradient),
          split.rough_weight() / (*norm + kTiny)};
}

Value relative_duality_gap(const GapTerms& terms) {
  const Value &f = terms.smooth, &r = terms.rough;
  const Value best = 1.0 - terms.product / (2.0 * f + kTiny);
  const Value s = relu(minimum(best, terms.feasible));
  const Value gap = square(1.0 - s) * f + r + s * terms.product;
  return relu(gap) / (abs(f + r) + kTiny);
}

Value relative_step(const StepTerms& terms) {
  const Value moved = sqrt(terms.moved), largest = sqrt(terms.largest);
  return moved / (largest + (1.0 - step(largest)) * moved + kTiny);
}

}  // namespace basin

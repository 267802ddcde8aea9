#pragma once

#include "energy/minimise/split.h"

namespace basin {

/// What the relative duality gap is made of, [N] each: f, weight * r, z'grad f at z, and the largest s for
/// which the dual point is feasible, weight / dual_norm(-grad f).
struct GapTerms {
  Value smooth, rough, product, feasible;
};

/// Those of a state. Throws Error unless f is least squares and r a norm (see Factor::dual_norm).
GapTerms gap_terms(const Split& split, const State& state);

/// (P(z) - Q(s)) / |P(z)|, [N]: an upper bound of how far z is from the minimum, relative to the energy P = f
/// + weight * r. The dual point is the residual t - A z times s, the best s >= 0 for which it is feasible by
/// the dual norm of r. f and its gradient g at z say all of it, so that A is never formed:  |t - A z|^2 = 2
/// f,  t'(t - A z) = 2 f - z'g,  P - Q(s) = (1 - s)^2 f + weight * r + s z'g: no large numbers cancel.
/// Reference: Kim, Koh, Lustig, Boyd, Gorinevsky 2007, "An interior-point method for large-scale
/// l1-regularized least squares", sec. III.
Value relative_duality_gap(const GapTerms& terms);

/// What the relative step is made of, [N] each: |z_k+1 - z_k|^2 and max(|z_0|, .., |z_k|)^2.
struct StepTerms {
  Value moved, largest;
};

/// |z_k+1 - z_k| / max(|z_0|, .., |z_k|), [N]; the first iteration from zeros: 1, or 0 where nothing moved.
Value relative_step(const StepTerms& terms);

}  // namespace basin

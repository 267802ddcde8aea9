#pragma once

#include "energy/marginal/conditional_expansion.h"

namespace basin {

/// How latents leave an energy: free energies sum (integrate) exp(-E) over them, minima take the lowest E.
enum class Elimination { Sum, Minimum };

/// log of the sum (integral) over one variable of exp(drive.z - 1/2 curvature.z^2), by unit or group.
Value log_normaliser(Domain domain, const Value& drive, const Value& curvature);

/// F = -log sum_b exp(-E(b)), or min_b E(b), [N], of a block whose energy is `expansion`, term by term of a
/// unit with drive d and curvature h:
///              Sum                                    Minimum
///   binary     E(0) - sum softplus(d)                 E(0) - sum relu(d)
///   one-hot    E(0) - sum logsumexp(d)                E(0) - sum max(d)
///   real       E(0) - sum [ d^2/2h + 1/2 log(2pi/h) ] E(0) - sum d^2/2h
///   non-neg.   the same with + log Phi(d / sqrt(h))   E(0) - sum relu(d)^2/2h
/// The sum over a non-negative unit is computed without the cancellation that this formula has in the
/// negative tail: its relative error is that of the dtype for any d. Units past the ends of sequences add
/// nothing. A minimum is attained at b* of the same evaluation (envelope theorem: gradients hold
/// b*).
Value closed_form(const Expansion& expansion, const Block& block, Elimination how);

}  // namespace basin

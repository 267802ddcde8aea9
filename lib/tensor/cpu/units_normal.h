#pragma once

namespace basin {

/// log Phi(x), the logarithm of the standard normal's distribution function, without underflow in the far tail.
double log_normal_cdf(double x);

/// E[z - start | z >= start] of a standard normal z, without cancellation for any start.
/// With the hazard h(s) = phi(s) / Q(s) it is h(s) - s.
double mean_excess(double start);

/// The excess z - start >= 0 of a standard normal z >= start, by inversion: Q(z) = v Q(start), 0 < v < 1.
/// Stable for any start: below kFarTail by Wichura 1988 (Algorithm AS 241), beyond by Newton steps on the excess itself.
double draw_excess(double start, double v);

}  // namespace basin

#pragma once

namespace basin {

/// log Phi(x), the logarithm of the standard normal's distribution function, without underflow in the far
/// tail.
double log_normal_cdf(double x);

/// A standard normal z, given that z >= start: its excess z - start >= 0, without cancellation for any start.
class NormalTail {
 public:
  explicit NormalTail(double start);

  /// E[z - start | z >= start] = h(start) - start with the hazard h(s) = phi(s) / Q(s), Q = 1 - Phi.
  double mean_excess() const;

  /// A draw by inversion: Q(z) = v Q(start), 0 < v < 1. Near the middle by Wichura 1988 (Algorithm AS 241),
  /// in the far tail by Newton steps on the excess itself.
  double draw_excess(double v) const;

 private:
  double start_;
  double tail_;  // Q(start), where it is used
};

}  // namespace basin

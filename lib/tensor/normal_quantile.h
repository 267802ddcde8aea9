#pragma once

namespace basin {

/// The x with Phi(x) = p of the standard normal, given p and its complement 1 - p so that both tails are
/// exact. Reference: Wichura 1988, Algorithm AS 241, PPND16: to 1e-15 relative.
double normal_quantile(double p, double complement);

}  // namespace basin

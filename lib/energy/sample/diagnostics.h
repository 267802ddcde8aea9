#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace basin {

/// How well chains have mixed, by one scalar function of their states.
///
/// Every chain is cut into halves (of an odd number of draws the middle one is left out), M of n draws, so
/// that a chain that drifts disagrees with itself. With W the mean of the halves' variances, B / n the
/// variance of their means and gamma_t their mean autocovariance (divided by n),
///   var+ = (n - 1) / n W + B / n,   rho_t = 1 - (W - gamma_t) / var+,   rho_0 = 1,
///   tau = -1 + 2 sum_k P_k,   P_k = rho_2k + rho_2k+1,
/// over Geyer's initial monotone sequence: to the first P_k that is not positive, none above the one before
/// it. Chains that move against themselves have tau < 1; it is held at 1 / log10(draws) or more.
/// References: Geyer 1992, "Practical Markov chain Monte Carlo", section 3.3; Gelman et al. 2013, "Bayesian
/// data analysis", 11.4-11.5; Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021, "Rank-normalization,
/// folding, and localization: an improved R-hat", sections 3 and 4.
struct Mixing {
  Index draws = 0, chains = 0;  // of each chain
  double mean = 0.0;
  double deviation = 0.0;             // sqrt(var+)
  double autocorrelation_time = 0.0;  // tau, in draws; 1 of independent ones
  double effective_samples = 0.0;     // draws chains / tau: so many independent ones know the mean as well
  double standard_error = 0.0;        // of the mean: deviation / sqrt(effective_samples)
  /// sqrt(var+ / W) of the halves' normal scores, z = Phi^-1((rank - 3/8) / (draws chains + 1/4)) with ties
  /// sharing their mean rank: the larger of those of the scalar and of its distance from the median, which
  /// sees chains that differ in scale alone. 1 where all agree; above 1.01 chains have not mixed; infinity
  /// where no chain moves and they stand apart.
  double r_hat = 0.0;
};

/// Of draws [draws, chains]. Where all are one number nothing is known: time, samples, error and r_hat are
/// NaN. Throws Error for fewer than 8 draws, no chain, or a number that is not finite.
Mixing mixing(const Tensor& draws);
/// Of each of K scalars, draws [draws, chains, K].
std::vector<Mixing> mixing_of_each(const Tensor& draws);

/// The autocorrelations rho_0 = 1, rho_1, .. rho_lags of draws [draws, chains], chains whole: of gamma_t as
/// above around the mean of all, over gamma_0, so that it stays up where chains have not met. NaN where all
/// draws are one number. Throws Error as mixing(), and unless 0 <= lags < draws.
std::vector<double> autocorrelations(const Tensor& draws, Index lags);

}  // namespace basin

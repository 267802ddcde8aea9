#pragma once

#include <span>

namespace basin {

/// The mean of importance weights w, by their logarithms.
struct ImportanceMean {
  double log = 0.0;             // log of the mean
  double relative_error = 0.0;  // sd(w) / (mean(w) sqrt(n)); infinite of one weight
  double effective = 0.0;       // samples, (sum w)^2 / sum w^2
};

/// Of at least one weight.
ImportanceMean importance_mean(std::span<const double> log_weights);

}  // namespace basin

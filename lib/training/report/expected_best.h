#pragma once

#include <vector>

namespace basin {

/// What the best of the first k trials is on average over all orders of n trials, k = 1 ... n: with the
/// values sorted from the best, v_1, v_2, ...,
///   sum_i v_i C(n - i, k - 1) / C(n, k),
/// the mean over all k of the n without replacement. Trials that are not finite failed and are no trials;
/// none gives none. Reference: Dodge, Gururangan, Card, Schwartz and Smith 2019, "Show your work: improved
/// reporting of experimental results", equation 3 (there with replacement).
std::vector<double> expected_best(std::vector<double> values, bool more_is_better);

}  // namespace basin

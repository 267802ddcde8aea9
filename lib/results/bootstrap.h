#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/key.h"

namespace basin {

struct BootstrapOptions {
  Key key = Key(0).fold("bootstrap");
  std::int64_t draws = 2000;
  double level = 0.95;  // of the interval
};

/// What resampling says of a mean.
struct BootstrapMean {
  double mean = 0.0;
  double low = 0.0, high = 0.0;  // the percentiles (1 -+ level) / 2 of the means that were drawn
  double p = 1.0;                // two-sided, of a mean of 0: min(1, 2 (1 + #{drawn beyond 0}) / (1 + draws))
};

/// The hierarchical bootstrap of the mean of numbers v of the same examples n (test samples, sequences) in
/// several runs s, of other seeds each,
///   mean = sum_s sum_n v_s,n / (runs sum_n w_n),   w_n: the example's weight, as its steps; {} = 1 each.
/// Draw i, under options.key.fold(i), takes as many runs with replacement, then as many examples. The runs
/// share their examples, and so one draw of examples serves all runs of the draw: what is hard for one seed
/// is hard for the next, which draws of their own for each run would take for chance that averages out.
/// References: Davison, Hinkley 1997, "Bootstrap methods and their application", 3.8; Owen 2007, "The
/// pigeonhole bootstrap". Throws Error unless all runs hold as many numbers, at least one, all finite, with
/// positive weights, and for less than 100 draws.
BootstrapMean bootstrap_mean(std::span<const std::vector<double>> runs, std::span<const double> weights = {},
                             const BootstrapOptions& options = {});

}  // namespace basin

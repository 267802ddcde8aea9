#pragma once

#include "config/config.h"
#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage whose log Z annealing brackets while it is trained; with a Likelihood.
struct Brackets {
  static constexpr const char* kWhat = "brackets of its likelihood";

  Index chains = 0, temperatures = 0, burn_in = 0;
};

/// The table [evaluate] brackets.
Brackets read_brackets(const Config& table, bool smoke);

/// "brackets", in epochs: "log_partition_low" and "log_partition_high", between which log Z moves while it is
/// learned; and "log_likelihood_low_train", "log_likelihood_high_train" and the same of
/// "_validation", else "_test", nats a sample: the mean of the first 1,000 samples under the largest and the
/// smallest log Z that forward or reverse annealing allow for, each by three of its standard errors (infinite
/// where an error is not known). Draws under key.fold("brackets"): one epoch's as another's.
Measure brackets_measure();

}  // namespace basin

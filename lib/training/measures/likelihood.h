#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "energy/fuse.h"
#include "energy/likelihood/annealed_importance.h"
#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage whose latents can be summed over: how likely it finds samples.
struct Likelihood {
  static constexpr const char* kWhat = "a likelihood";

  Variable visible, hidden;
  PixelScale scale = PixelScale::Unit;  // a likelihood is one of values that the visible units can take
  std::string method;                   // "ais", "exact", "none"
  Index chains = 0, temperatures = 0, burn_in = 0;
  bool three_part = false;
  bool reverse = true;
  Index bound_draws = 10;  // of each sample, for the bound of a deep belief net (bound.h)
  Fuse fuse = Fuse::Auto;
};

/// The keys [evaluate] log_likelihood, scale, ais.*, bound_draws; `bits` says that visible units are binary.
Likelihood read_likelihood(const Config& tables, bool bits, PixelScale data_scale, bool smoke);

/// Rows 0, 1, ... of `available` ones, from the first again where more are wanted.
std::vector<Index> over_and_over(Index wanted, Index available);

/// Warns of a reverse estimate, its error unknown, whose log Z lies below the forward one's by more than
/// three of their errors.
void distrust(PartitionEstimate& reverse, const PartitionEstimate& forward);

/// "likelihood": log-likelihoods in nats a sample, by enumeration or by annealed importance sampling, forward
/// (too high on average) and in reverse (too low on average where its chains have mixed: no bound), from the
/// objective's particles or from training samples where there are none, with a warning where an estimate is
/// not to be trusted or the model has diverged;
/// /evaluation/{exact,forward,reverse}/{log_partition, standard_error, train_log_likelihood,
/// test_log_likelihood, ...}. Draws under key.fold("evaluate").
Measure likelihood_measure();
/// In epochs, of the first 1,000 samples: "pseudo_likelihood_train", "_test" of binary visible units, with
/// "error_of_pseudo_likelihood_train", "_test", below 0.5 nats, and "bits_of_pseudo_likelihood_train",
/// "_test", how many were flipped; "free_energy_train", "_test" of any.
Measure pseudo_likelihood_measure();
Measure free_energy_measure();

/// Biases of a variable under which each of its units alone has the mean of the samples, [variable.size()];
/// draws of the source under `key`.
Tensor mean_bias(const FactorGraph& graph, const Variable& variable, const Source& samples, Key key);

/// [count, v.shape...]: the particles of v that an objective has in its carry, over and over; undefined
/// without.
Value particles_of(const Carry& carry, const Variable& v, Index count, Placement placement);

}  // namespace basin

#pragma once

#include <optional>
#include <string>

#include "energy/likelihood/annealed_importance.h"
#include "energy/objectives/objective.h"
#include "results/store.h"
#include "training/families/rbm.h"

namespace basin {

/// Log-likelihoods in nats a sample, by one estimate of log Z.
struct Likelihood {
  PartitionEstimate partition;
  double train = 0.0, test = 0.0;
};

/// How likely a model finds the data.
struct LikelihoodReport {
  std::optional<Likelihood> exact;    // by enumeration
  std::optional<Likelihood> forward;  // by annealed importance sampling: too high on average
  std::optional<Likelihood> reverse;  // by reverse annealing: too low on average, where its chains have mixed
  double train_entropy = 0.0;  // of the empirical distribution of the training samples, with `exact` only: no
                               // model's mean log-likelihood on them is higher than minus this
};

/// As the learner's settings ask, with the parameters as they are. Reverse annealing starts from the
/// objective's particles in `carry`, or from training samples where there are none. Draws under
/// key.fold("evaluate").
LikelihoodReport log_likelihood(const RbmLearner& learner, const Dataset& data, const Carry& carry);

/// /evaluation/{exact,forward,reverse}/{log_partition, standard_error, train_log_likelihood,
/// test_log_likelihood, ...}
void write(const LikelihoodReport& report, Store& store);

/// One line for each estimate, for people.
std::string describe(const LikelihoodReport& report);

}  // namespace basin

#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "energy/minimise/rule.h"
#include "modules/linear.h"

namespace basin {

/// An energy that reads a latent z by squared errors of one or more Linear decoders, by squared distances to
/// predictions of z, and by L1:  sum_i a_i/2 |y_i - z W_i - b_i|^2 + sum_j c_j/2 |z - g_j|^2 + lambda |z|_1,
/// real or non-negative. Per sample this is 1/2 z'H z - q'z + constant + lambda |z|_1 with one H = sum a_i
/// W_i W_i' + sum c_j 1 for all samples.
struct Lasso {
  struct Decoder {
    Variable target;
    const Linear* module;
    double weight;
  };
  struct Prediction {
    Variable source;
    const Module* module;
    double weight;
  };
  std::vector<Decoder> decoders;
  std::vector<Prediction> predictions;
  double lambda = 0.0;
  bool non_negative = false;
};

/// The pattern, pointing into the split's factors; nullopt for other energies.
std::optional<Lasso> recognise_lasso(const Split& split);

/// The rule "lasso": Gram matrix once, then every sample by itself. CoordinateDescent moves several of the
/// best coordinates a pass over the gradient; Fista and Ista take blocks of samples that stay in cache, and
/// those that converged make room for others. nullopt where the pattern, the transition (backtracking) or the
/// criterion (StepSize) is another, or the device has no solvers.
std::optional<InferenceRule> lasso_rule(const Inference& inference);

}  // namespace basin

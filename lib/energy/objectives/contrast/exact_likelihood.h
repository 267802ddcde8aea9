#pragma once

#include "energy/objectives/contrast/contrast.h"

namespace basin {

/// -log p(freed | the rest of the batch), exactly:   loss = mean F(batch) - mean F(clamped)   with `freed`
/// summed out of the second too: E(x, y) - F(x) of a classifier without latents, of a chain of labels, of an
/// RBM that holds a label. Dropout draws one mask for both.
inline Contrast ConditionalLikelihood(Block freed, ContrastOptions options = {}) {
  return {std::move(freed), Exact{}, Exact{}, options};
}

/// Exact maximum likelihood of small graphs:   loss = mean F(v) + log Z,   the mean negative log-likelihood
/// in nats.
inline Contrast ExactLikelihood(Block visible) { return {std::move(visible), Exact{}, Exact{}}; }

}  // namespace basin

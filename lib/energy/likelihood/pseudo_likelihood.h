#pragma once

#include "energy/state.h"
#include "energy/transition.h"

namespace basin {

struct PseudoLikelihoodOptions {
  double error = 0.5;  // nats: bits are added until the standard error is less; 0: all of them
};

/// The mean log pseudo-likelihood of some samples, estimated.
struct PseudoLikelihood {
  double mean = 0.0;            // nats a sample
  double standard_error = 0.0;  // of the mean over these samples, by the choice of bits; 0 of all bits
  Index bits = 0;               // flipped in each sample
};

/// The mean over samples of sum_i log p(v_i | all other bits) (Besag 1975), in nats a sample, to watch a
/// training by: log p(v_i | others) = log sigma(F(v with bit i flipped) - F(v)). Each sample flips the first
/// few bits of a random order of its own, twice as many again while the error is too large. What the slope
/// dF/dv at the sample foretells of a flip is counted for every bit, and bits that are flipped correct it: no
/// bias, and far fewer flips for the same error (a control variate, Hammersley and Handscomb 1964, chapter
/// 5.5).
/// The order of row n is drawn under key.fold(n), n its number in the whole batch: samples of two sets under
/// one key flip the same bits, so that a difference of their means errs less than either.
/// Throws Error when v is not binary or is a sequence of several lengths, or the error is below 0.
PseudoLikelihood pseudo_likelihood(const FactorGraph& graph, const Variable& v, const Block& latents,
                                   const State& data, Key key, PseudoLikelihoodOptions options = {});

}  // namespace basin

#pragma once

#include "autograd/value.h"
#include "energy/objectives/density/joined.h"
#include "tensor/key.h"

namespace basin {

/// How much F rises when one bit of a sample is flipped.
struct BitFlips {
  Value rise;           // [N, m]: F(x with a bit flipped) - F(x), latents summed out
  double weight = 1.0;  // bits of x / m: sums over m drawn bits times it are, on average, those over all
};

/// Throws Error unless there is a variable and all are bits.
void require_bits(const char* who, const Block& x);

/// Of every bit, or of m that each row draws, without putting back, under key.fold(its number in the whole
/// batch). N m rows of F are evaluated at once. Throws Error as Joined does, for values that are no bits, and
/// unless 0 <= m <= bits (0: all).
BitFlips bit_flips(const char* who, const FactorGraph& graph, const Block& x, const State& batch, Key key,
                   Index m);

}  // namespace basin

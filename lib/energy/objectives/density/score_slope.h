#pragma once

#include "autograd/value.h"
#include "energy/objectives/density/joined.h"

namespace basin {

/// The slope of F at rows of x, minus the score of the model: psi = d log p / dx = -dF/dx, in which log Z has
/// no part.
struct ScoreSlope {
  Value x;      // [N, size], a leaf
  Value slope;  // dF/dx, differentiable
};

ScoreSlope score_slope(const FactorGraph& graph, const Joined& joined, const State& batch, const Value& rows);

/// The gradient of sum(output) in x, differentiable; zeros where it does not depend on it.
Value slope_of(const Value& output, const Value& x);

/// Whether objectives ask for second derivatives in x, which a kink hides.
enum class Derivatives { First, Second };

/// Throws Error, in the name of an objective, for a factor with a prox in one of the block, and where second
/// derivatives are asked for, for a Network with a layer whose slope jumps (relu, max pooling): its curvature
/// is 0 almost everywhere, and what is left out is no score matching.
void require_smooth(const char* who, const FactorGraph& graph, const Block& block, Derivatives derivatives);

}  // namespace basin

#pragma once

#include "energy/minimise/proximal.h"
#include "energy/minimise/split.h"

namespace basin {

/// What a proximal gradient iteration from a point u came to.
struct ProximalStep {
  Value z;     // prox(u - step * df/du, step)
  Value step;  // [N], a constant
};

/// One proximal gradient iteration of split.variable() from its value in `at`. The step is the fixed one of
/// the options, or the one that `at` remembers as kStepMemory, or, at the first iteration, one by rule;
/// backtracking halves it where it must. Throws Error when the energy is affine in z, so that no rule gives a
/// step, or when no step is short enough.
ProximalStep proximal_step(const Split& split, const State& at, const ProximalOptions& options, Key key);

inline constexpr const char* kStepMemory = "proximal.step";

/// 1 / lipschitz() as a first iteration under `key` takes it. Throws Error when that is no positive number.
double lipschitz_step(const Split& split, const State& at, Key key);

/// Throws Error, in the name of `who`, when the fixed step is not a positive number.
void check_options(const char* who, const ProximalOptions& options);

}  // namespace basin

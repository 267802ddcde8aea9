#pragma once

#include "training/families/rbm.h"

namespace basin {

/// Mean visible states [sample_chains, v.shape...] at the end of Gibbs chains of sample_steps sweeps that
/// start from the objective's particles in `carry`, or from coin flips (binary) or normals (real) where there
/// are none. Draws under key.fold("samples").
Tensor fantasies(const RbmLearner& learner, const Carry& carry);

/// The weights of each hidden unit as rows [hidden, v.shape...].
Tensor basis(const Rbm& rbm);

}  // namespace basin

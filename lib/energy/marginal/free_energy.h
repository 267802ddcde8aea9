#pragma once

#include "energy/transition.h"

namespace basin {

/// F(rest) = -log sum_z exp(-E(rest, z)), [N], for a latent block z whose members do not interact given the
/// rest; integrals for real and non-negative latents. Differentiable in the rest and in the parameters. The
/// energy is evaluated once, at z = 0, with g = dE/dz and h the diagonal Hessian there. Throws Error when h
/// <= 0; whether members interact is for check_no_interaction.
///   binary       E(z=0) - sum softplus(-g)
///   categorical  E(z=0) - sum logsumexp(-g)
///   real         E(z=0) - sum [ g^2 / (2h) + 1/2 log(2 pi / h) ]
///   non-negative the same with + log Phi(-g / sqrt(h)) inside the bracket
Value free_energy(const FactorGraph& graph, const Block& latents, const State& rest);

/// min_z E(rest, z) over the same kind of block, attained at z* of the same evaluation (envelope theorem:
/// gradients hold z*).
///   binary E(z=0) - sum relu(-g); categorical E(z=0) + min g; real E(z=0) - sum g^2 / (2h);
///   non-negative E(z=0) - sum relu(-g)^2 / (2h).
Value min_energy(const FactorGraph& graph, const Block& latents, const State& rest);

}  // namespace basin

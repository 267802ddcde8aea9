#pragma once

#include <cstddef>

#include "energy/minimise/infer.h"

namespace basin {

struct EliminateOptions {
  Index states = Index{1} << 20;             // joint states enumerated for one sample, at most
  std::size_t bytes = std::size_t{1} << 28;  // of enumerated states at a time; beyond it they are streamed,
                                             // and computed a second time for gradients
  bool differentiable = false;               // of marginals: keep history
  InferOptions infer = {.max_steps = 20000, .tolerance = 1e-5};  // of a minimum that has to be searched
};

/// F(rest) = -log sum_z exp(-E(rest, z)), [N], over all latents z (integrals over real and non-negative
/// ones), differentiable in the rest and in the parameters. Exact, or an Error that says what interacts and
/// what could be done: eliminate/plan.h finds out what the energy allows,
///   - units that do not interact given the others: in closed form, from one evaluation of the energy;
///   - one-hot codes that interact with their neighbours along an axis (Order::Chain): forward algorithm;
///   - codes on a tree, segments and their labels (Order::Joint): by what the factor says of them
///     (Factor::structure);
///   - binary or one-hot variables that interact in pairs along a tree, or in few at a time: one after
///   another
///     from tables of each factor's energy, where that takes fewer numbers than the next way takes states;
///   - the cheapest binary or one-hot variables without which the others are such: all their states are
///     enumerated, what does not depend on them is evaluated once.
/// A block in closed form costs and rounds as that evaluation does.
Value free_energy(const FactorGraph& graph, const Block& latents, const State& rest,
                  const EliminateOptions& options = {});

/// min_z E(rest, z), the same way; gradients hold the minimiser (envelope theorem). A real or non-negative
/// variable whose units interact, or that has a prox, is inferred by Fista where the energy is convex in it;
/// such a minimum may be differentiated once. Throws Error where a sample does not converge.
Value min_energy(const FactorGraph& graph, const Block& latents, const State& rest,
                 const EliminateOptions& options = {});

/// log Z = log sum exp(-E) over all variables, [1]: minus the free energy of everything, which enumerates the
/// smaller side of an RBM. At most 2^24 states by default.
Value log_partition(const FactorGraph& graph, const EliminateOptions& options = {.states = Index{1} << 24});

}  // namespace basin

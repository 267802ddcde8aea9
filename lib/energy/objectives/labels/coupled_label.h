#pragma once

#include <optional>

#include "energy/graph.h"

namespace basin {

/// The pattern of the rewrite rule "coupled_label": a one-hot label y that the energy reads in Bias factors
/// of its own and in Bilinear ones with one block of binary latents h.
struct CoupledLabel {
  Variable h;
  Value bias = {};      // d, [1, K]; zeros where there is none
  Value coupling = {};  // U, [1, K, h.size()]
};

/// Recognises by factor types and domains; nothing when anything else reads the label.
std::optional<CoupledLabel> recognise_coupled_label(const FactorGraph& graph, const Variable& label);
/// Whether it says what the energies of a batch are: h is all that is latent, and does not interact with
/// itself.
bool holds_for(const CoupledLabel& pattern, const FactorGraph& graph, const Variable& label,
               const State& batch);

/// [N, K], the free energy of every answer from one evaluation of the graph, in place of K: with the input a
/// to h where y is 0,   F_k = E(h = 0, y = 0) - d_k - sum_j softplus(a_j + U_kj).   Differentiable.
/// Reference: Larochelle, Bengio 2008, "Classification using discriminative restricted Boltzmann machines",
/// eq. 2.
Value coupled_label_energies(const FactorGraph& graph, const Variable& label, const CoupledLabel& pattern,
                             const State& batch);

}  // namespace basin

#pragma once

#include <vector>

#include "autograd/gradient.h"
#include "energy/objectives/objective.h"
#include "energy/scratch.h"

namespace basin {

/// Which mean the centring offsets follow.
enum class Offsets {
  Data,    // of the positive phase (Melchior et al.'s "d")
  Average  // of the mean of both phases ("a"; with it the update is Cho, Raiko, Ilin's enhanced gradient)
};

/// Centring offsets: one mean per variable of a Bilinear, [size] each; undefined for the others. By variable
/// index.
using CentringOffsets = std::vector<Tensor>;

/// offset <- (1 - rate) offset + rate mean for every mean that is defined, carried as "offset.<variable>";
/// the first mean becomes the offset.
CentringOffsets slide_offsets(const FactorGraph& graph, const CentringOffsets& means, Carry& carry,
                              double rate);

/// The variables that take part: ends of a Bilinear. Throws Error when one of them has no Bias, which
/// centring needs.
std::vector<Variable> centred_variables(const FactorGraph& graph);

/// Turns the gradient of a loss by the plain parameters into the centred gradient, in place; the energy
/// itself stays plain.
///
/// With E = -(x - mu)' W (y - lambda) - b_c'x - c_c'y, the same distribution has b = b_c - W lambda, c = c_c
/// - W' mu, so for every Bilinear W between x and y, by the chain rule and mapped back to the plain
/// parameters,
///   gW <- gW - gb lambda' - mu gc',    gb <- gb - gW lambda,    gc <- gc - gW' mu      (the second and third
///     with the new gW).
/// For gradients of -log-likelihood this is dW = <(v-mu)(h-lambda)'>_data - <(v-mu)(h-lambda)'>_model and db
/// = <v>_data - <v>_model - dW lambda. `gradients` is one per graph.parameters(); the biases' must be dense.
/// The two rank-one terms are added as OuterProducts. Reference: Melchior, Fischer, Wiskott 2016, "How to
/// center deep Boltzmann machines", J. Mach. Learn. Res. 17(99), section 3.
void centre(const FactorGraph& graph, const CentringOffsets& offsets, std::vector<Gradient>& gradients,
            Scratch& scratch);

}  // namespace basin

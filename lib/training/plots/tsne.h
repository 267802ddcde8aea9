#pragma once

#include "autograd/value.h"
#include "tensor/key.h"

namespace basin {

/// p_ij of rows x_1 .. x_N, symmetric, of sum 1: (p_j|i + p_i|j) / 2N with p_j|i = exp(-b_i |x_i - x_j|^2) /
/// sum over k != i, b_i such that exp of the entropy of p_.|i is `perplexity`. [N, N], f32 on the host.
/// Throws Error for fewer than 5 rows, and for a perplexity outside (1, N - 1).
Tensor neighbour_probabilities(const Tensor& rows, double perplexity);

/// E(y) = sum_ij p_ij log(1 + |y_i - y_j|^2) + log sum_i!=j 1 / (1 + |y_i - y_j|^2) of positions [N, 2]: up
/// to the entropy of p, KL(p || q) with q_ij in proportion to 1 / (1 + |y_i - y_j|^2).
Value neighbour_energy(const Value& positions, const Value& probabilities);

struct TsneOptions {
  double perplexity = 30.0;    // a third of the other rows where there are fewer
  double exaggeration = 12.0;  // factor of p in the first `exaggerated` steps
  Index exaggerated = 250;
  Index steps = 750;
};

/// Positions [N, 2] of rows [N, C] at which neighbours stay neighbours: a minimum of that energy by gradient
/// descent with momentum and gains, from normal draws under the key. Reference: van der Maaten and Hinton
/// 2008, "Visualizing data using t-SNE"; the step N / 48: Belkina et al. 2019.
Tensor tsne(const Tensor& rows, Key key, const TsneOptions& options = {});

}  // namespace basin

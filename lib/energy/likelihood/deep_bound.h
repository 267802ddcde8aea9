#pragma once

#include <vector>

#include "energy/sample/deep_belief.h"

namespace basin {

/// log w = log p*(v, x) - log q(x | v) of samples v of a deep belief net, x ~ q(x | v) drawn by ascend(), p*
/// = Z_top p: [N] of one draw, under `key`. With E_i and F_i the energy and the free energies of layer i (the
/// other side summed out), E'_i and F'_i those of its recognition,
///   log w = sum_i [ F_i(x_{i+1}) - E_i(x_i, x_{i+1}) + E'_i(x_i, x_{i+1}) - F'_i(x_i) ] - F_top(x_n),
/// where E_i and E'_i cancel in tied layers. No layer's Z is in it but that of the top.
Value deep_log_weights(const DeepBelief& net, const State& samples, Key key);

/// What some draws of log w of each sample say of log p(v), in nats a sample.
struct DeepBound {
  double bound = 0.0;           // mean of log w - log Z: E_q[log p(v, x) - log q(x | v)] <= log p(v)
  double standard_error = 0.0;  // of that mean over these samples, by the draws; infinite of one draw
  double importance = 0.0;      // mean of log(mean of w over the draws) - log Z: on average between the bound
                                // and log p(v), and nearer to it the more draws there are
};

/// `log_weights` are [samples][draws], `log_z` that of the top: where it is an estimate, its error is the
/// bound's, too. Throws Error where they are no multiple of `draws`.
/// References: Salakhutdinov, Murray 2008, "On the quantitative analysis of deep belief networks", section 5;
/// importance: Burda, Grosse, Salakhutdinov 2016, "Importance weighted autoencoders", eq. 8.
DeepBound deep_bound(const std::vector<double>& log_weights, Index draws, double log_z);

/// [samples][draws] of them, draw d under key.fold(d).
std::vector<double> deep_log_weights(const DeepBelief& net, const State& samples, Index draws, Key key);

}  // namespace basin

#pragma once

#include "energy/factors/pooled_maps.h"
#include "models/rbm.h"

namespace basin {

struct ConvRbmOptions {
  UnitKind visible = UnitKind::Binary;  // or Gaussian
  Shape image = {};                     // [height, width] or [channels, height, width]
  Index maps = 0;                       // filters
  Index size = 0;                       // of a filter on each side
  Index pool = 2;              // side of the squares in which at most one detection unit is on; 1: no pooling
  double weight_scale = 0.01;  // standard deviation of the initial weights
  double hidden_bias = 0.0;    // at first; below 0 units are rarely on
  Key key;                     // no default: weights are not drawn without one
};

struct ConvRbm {
  FactorGraph graph;
  Variable v, h;
  PooledMaps maps;  // of h
};

/// A convolutional restricted Boltzmann machine with probabilistic max pooling:
///   E(v, h) = -sum_k d_k . (W_k * v) - sum_k c_k sum d_k - sum_c b_c sum v_c   [+ 1/2 sum exp(s) v^2],
/// d the detections of h, at most one on in each square; Gaussian visible units have a precision each.
/// Variables "v" and "h" (PooledMaps); parameters "v.bias" [channels], "h.bias" [maps], "v.h.weight" [maps,
/// channels, size, size], "v.log_precision". Throws Error when sizes are missing or do not fit.
/// Reference: Lee, Grosse, Ranganath, Ng 2009, "Convolutional deep belief networks for scalable unsupervised
/// learning of hierarchical representations", section 3.
ConvRbm conv_rbm(const ConvRbmOptions& options);

}  // namespace basin

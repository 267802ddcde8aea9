#pragma once

#include <memory>

#include "energy/graph.h"
#include "modules/module.h"
#include "tensor/key.h"

namespace basin {

struct LabelRbmOptions {
  Shape visible_shape = {};  // of one sample
  Index classes = 0;
  Index hidden_units = 0;
  double weight_scale = 0.01;  // standard deviation of the initial weights
  Key key;                     // no default: weights are not drawn without one
};

struct LabelRbm {
  FactorGraph graph;
  Variable v, y, h;
  /// v -> -F(v, y) - b.v of every label y, [N, classes]:   d_y + sum_j softplus(c_j + U_yj + (v W)_j),
  /// the larger the likelier: p(y | v) is their softmax.
  std::shared_ptr<const Module> scores;
};

/// A restricted Boltzmann machine of binary samples and their labels:
///   E(v, y, h) = -b.v - d.y - c.h - v' W h - y' U h,   y one-hot.
/// Parameters "v.bias", "y.bias", "h.bias", "v.h.weight", "y.h.weight". Throws Error when a size is missing.
/// References: Hinton, Osindero, Teh 2006, "A fast learning algorithm for deep belief nets" (as the top of a
/// deep belief net); Larochelle, Bengio 2008, "Classification using discriminative restricted Boltzmann
/// machines", eq. 2 (the scores).
LabelRbm label_rbm(const LabelRbmOptions& options);

}  // namespace basin

#pragma once

#include "energy/graph.h"
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
};

/// A restricted Boltzmann machine of binary samples and their labels:
///   E(v, y, h) = -b.v - d.y - c.h - v' W h - y' U h,   y one-hot.
/// Parameters "v.bias", "y.bias", "h.bias", "v.h.weight", "y.h.weight". Throws Error when a size is missing.
/// It classifies by the free energy of every label (label_energies()).
/// References: Hinton, Osindero, Teh 2006, "A fast learning algorithm for deep belief nets" (as the top of a
/// deep belief net); Larochelle, Bengio 2008, "Classification using discriminative restricted Boltzmann
/// machines", eq. 2 (the scores).
LabelRbm label_rbm(const LabelRbmOptions& options);

}  // namespace basin

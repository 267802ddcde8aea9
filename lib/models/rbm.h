#pragma once

#include <string_view>

#include "energy/graph.h"
#include "tensor/key.h"

namespace basin {

/// What one side of a restricted Boltzmann machine is made of.
enum class UnitKind {
  Binary,    // {0, 1}, mean sigma(a)
  Gaussian,  // real, mean a / precision
  Relu,      // non-negative: the Gaussian unit truncated to [0, inf)
  Softmax    // one-hot groups
};

/// "binary", "gaussian", "relu" or "softmax". Throws Error on any other name.
UnitKind parse_unit_kind(std::string_view name);

struct RbmOptions {
  UnitKind visible = UnitKind::Binary;
  UnitKind hidden = UnitKind::Binary;
  Shape visible_shape = {};    // of one sample; of a softmax visible the last axis is the group
  Index hidden_units = 0;      // all groups together
  Index hidden_group = 1;      // categories of a softmax hidden group; must divide hidden_units
  double weight_scale = 0.01;  // standard deviation of the initial weights
  Key key;                     // no default: weights are not drawn without one
};

struct Rbm {
  FactorGraph graph;
  Variable v, h;
};

/// A restricted Boltzmann machine: E(v, h) = -b.v - c.h - v' W h, plus 1/2 sum exp(s_i) v_i^2 for a Gaussian
/// or ReLU visible side, and 1/2 |h|^2 for such a hidden side (whose scale W already holds, so that a
/// precision of its own would be redundant). Variables "v" and "h"; parameters "v.bias", "h.bias",
/// "v.h.weight" (drawn under key.fold("v.h.weight")), "v.log_precision".
/// Throws Error when a size is missing or the groups do not fit.
/// Reference: Smolensky 1986; Welling, Rosen-Zvi, Hinton 2004 ("Exponential family harmoniums") for the other
/// units.
Rbm rbm(const RbmOptions& options);

}  // namespace basin

#pragma once

#include <vector>

#include "energy/graph.h"
#include "tensor/key.h"

namespace basin {

struct DbmOptions {
  Shape visible_shape = {};        // of one sample
  std::vector<Index> layers = {};  // hidden units, from the lowest on
  double weight_scale = 0.01;      // standard deviation of the initial weights
  Key key;                         // no default: weights are not drawn without one
};

struct Dbm {
  FactorGraph graph;
  Variable v;
  Block h;  // from the lowest on

  /// Every other layer from h1 on, and v with the others: two blocks that do not interact with themselves.
  Block odd() const;
  Block even() const;
};

/// A deep Boltzmann machine of bits:
///   E(v, h1, ..., hn) = -b'v - sum_l c_l'h_l - v' W1 h1 - h1' W2 h2 - ... - h(n-1)' Wn hn.
/// Variables "v", "h1", ...; parameters "v.bias", "h1.bias", ..., "v.h1.weight", "h1.h2.weight", ..., each
/// drawn under key.fold(its name). Throws Error when a size is missing.
/// Reference: Salakhutdinov, Hinton 2009, "Deep Boltzmann machines", eq. 9.
Dbm dbm(const DbmOptions& options);

/// Which side of a machine of two layers is there twice, as what is not there yet would count.
enum class Twice {
  Neither,
  Visible,  // of the lowest layer: p(h | v) = sigma(2 W'v + c)
  Hidden    // of the highest: p(v | h) = sigma(2 W h + b)
};

/// One layer of a deep Boltzmann machine by itself, for training layer by layer.
struct DbmLayer {
  FactorGraph graph;
  Variable v, h;
  Block visible, hidden;  // with the second copies
};

/// A restricted Boltzmann machine whose one side has a copy with the same weights and biases:
///   E(v, v', h) = -b'(v + v') - c'h - (v + v')' W h,   or   E(v, h, h') = -b'v - c'(h + h') - v' W (h + h').
/// Variables "v", "h", "v_copy", "h_copy"; parameters as of rbm(). Throws Error when a size is missing.
/// Reference: Salakhutdinov, Hinton 2009, section 3.3.
DbmLayer dbm_layer(const Shape& visible_shape, Index hidden, Twice twice, double weight_scale, Key key);

/// Puts layers trained by themselves together as a deep Boltzmann machine: weights of layers with no copies
/// halved; the biases of a hidden layer the mean of those it had as the upper side of one and the lower of
/// the next. What a layer then feels from both sides is the mean of what each machine's logits said
/// (geometric mean of the two distributions). Throws Error when sizes differ.
void compose(const Dbm& model, const std::vector<DbmLayer>& layers);

}  // namespace basin

#pragma once

#include "energy/factor.h"

namespace basin {

/// Maps of detection units of which at most one is on in each square of side x side: a one-hot variable of
/// shape [maps, height / side, width / side, side * side + 1]. State u * side + v of a square says that its
/// unit (u, v) is on, the last state that all are off, which is to say that the pooling unit on top of the
/// square is. So at most one is a domain, and what follows from -dE/db of one-hot variables is probabilistic
/// max pooling: a unit with input I is on with probability exp(I) / (1 + sum of exp over its square).
/// Reference: Lee, Grosse, Ranganath, Ng 2009, "Convolutional deep belief networks for scalable unsupervised
/// learning of hierarchical representations", section 3.3.
struct PooledMaps {
  Variable variable;
  Index side = 1;

  /// Throws Error for a variable of another domain or shape.
  PooledMaps(Variable variable, Index side);
  /// The variable's shape for maps of such sizes. Throws Error where squares do not cover them.
  static Shape shape(Index maps, Index height, Index width, Index side);

  Index maps() const { return variable.shape[0]; }
  Index height() const { return variable.shape[1] * side; }
  Index width() const { return variable.shape[2] * side; }

  /// What detection units are, or their means: [N, maps, height, width].
  Value detections(const Value& one_hot) const;
  /// What pooling units are, or their means: 1 less the last state, [N, maps, height / side, width / side].
  Value pooled(const Value& one_hot) const;
};

}  // namespace basin

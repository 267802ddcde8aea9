#pragma once

#include "tensor/key.h"
#include "tensor/tensor.h"

namespace basin {

/// How the weights of a layer with `in` inputs and `out` outputs start.
///   GlorotUniform  uniform in +-gain * sqrt(6 / (in + out))   Glorot and Bengio 2010, eq. 16; for sigmoid
///                  and tanh
///   HeNormal       normal, deviation gain * sqrt(2 / in)      He, Zhang, Ren, Sun 2015, eq. 10; for relu
///   Normal         normal, deviation gain
///   Zeros          0
struct Initializer {
  enum class Kind { GlorotUniform, HeNormal, Normal, Zeros };
  Kind kind = Kind::GlorotUniform;
  double gain = 1.0;

  /// Weights [in, out]. Throws Error unless both are positive.
  Tensor weights(Index in, Index out, Key key, Placement placement = {}) const;
};

}  // namespace basin

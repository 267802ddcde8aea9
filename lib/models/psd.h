#pragma once

#include <memory>

#include "models/encoder.h"
#include "models/sparse_coding.h"

namespace basin {

struct PsdOptions {
  SparseCodingOptions code;  // as of sparse coding
  double alpha = 1.0;        // weight of the prediction
  EncoderKind encoder = EncoderKind::Shrinkage;
};

struct Psd {
  FactorGraph graph;      // learning's energy
  FactorGraph inference;  // the energy that z* minimises: of psd() the same, of psd_warm_start() without the
                          // prediction
  Variable y, z;
  std::shared_ptr<const Linear> decoder;
  std::shared_ptr<const Encoder> encoder;
};

/// Predictive sparse decomposition: E(y, z) = 1/2 |y - D z|^2 + lambda |z|_1 + alpha/2 |z - g(y)|^2 with an
/// encoder g; inference minimises all of it, so that codes stay near what the encoder can predict.
///
/// Parameters of the dictionary as in sparse_coding(), those of the encoder "y.z.<name>" (its filters start
/// as the dictionary's atoms). Throws Error as sparse_coding(), and unless alpha > 0.
/// Reference: Kavukcuoglu, Ranzato, LeCun 2010, "Fast inference in sparse coding algorithms with applications
/// to object recognition", eq. 4.
Psd psd(const PsdOptions& options);

/// Not PSD: sparse coding whose inference starts at g(y). The encoder learns to predict z*, but its
/// prediction is no part of the energy that z* minimises.
Psd psd_warm_start(const PsdOptions& options);

}  // namespace basin

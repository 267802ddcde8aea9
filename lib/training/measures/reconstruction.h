#pragma once

#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage whose encoder and decoder reconstruct samples in one pass.
struct ReconstructionError {
  static constexpr const char* kWhat = "an encoder and a decoder that reconstruct";
  Index samples = 10000;   // of the evaluation
  Index monitored = 1000;  // samples, epoch after epoch
};

/// "reconstruction": reconstruction_error = mean |x - r(x)|^2, relative_error = the sum of them / sum |x|^2,
/// mean_code; in epochs "reconstruction_error_test".
Measure reconstruction_measure();

/// "jacobian": mean |dh/dx|_F of the encoder.
Measure jacobian_measure();

}  // namespace basin

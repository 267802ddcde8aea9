#pragma once

#include <memory>

#include "energy/objectives/latents/latent_minimum.h"
#include "training/measures/measure.h"
#include "training/walk.h"

namespace basin {

/// Facet of a stage whose codes are inferred by minimising its energy.
struct Codes {
  static constexpr const char* kWhat = "codes that are inferred";

  std::shared_ptr<const LatentMinimum> minimum;
  std::shared_ptr<const Module> decoder;
  std::shared_ptr<const Module> encoder = nullptr;  // what guesses them; null: nothing does
  Index samples = 0;                                // of the evaluation
  Index monitored = 500;                            // samples, epoch after epoch
  Index together = kChunk;                          // samples whose codes stand in memory at a time
  bool per_pixel =
      false;  // active codes are counted for each number of a sample, else as a share of all codes
};

/// "codes": how well codes z* and an encoder's guesses g(y) describe samples, each error relative to what it
/// approximates: loss = mean min_z E, reconstruction_error = sum |y - D z*|^2 / sum |y|^2, active, gap,
/// unconverged, and with an encoder encoder_reconstruction_error = sum |y - D g(y)|^2 / sum |y|^2,
/// prediction_error = sum |z* - g(y)|^2 / sum |z*|^2. In epochs "loss_test", "relative_error_codes_test" (of
/// reconstruction), "relative_error_encoder_test", "relative_error_prediction_test".
Measure codes_measure();

}  // namespace basin

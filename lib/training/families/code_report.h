#pragma once

#include <map>
#include <string>

#include "energy/objectives/latent_minimum.h"
#include "modules/module.h"
#include "results/store.h"
#include "training/source.h"

namespace basin {

/// How well codes z* and an encoder's guesses g(y) describe data; each error is relative to what it
/// approximates.
struct CodeReport {
  Index samples = 0;
  double loss = 0.0;                  // mean min_z E
  double reconstruction_error = 0.0;  // sum |y - D z*|^2 / sum |y|^2
  double encoder_reconstruction_error =
      0.0;                        // sum |y - D g(y)|^2 / sum |y|^2; 0 without an encoder, like the next
  double prediction_error = 0.0;  // sum |z* - g(y)|^2 / sum |z*|^2
  double active = 0.0;            // codes other than 0, a sample
  Convergence convergence;
  bool encodes = false;
  std::string warning;  // where inference did not converge

  /// The errors that epochs record: "loss_test", "relative_error_codes_test" (of reconstruction); with an
  /// encoder "relative_error_encoder_test", "relative_error_prediction_test".
  std::map<std::string, double> metrics() const;
  /// Puts the numbers into /evaluation, "active" divided by `units` (of codes: a fraction; of pixels: codes a
  /// pixel), and gives lines for people; `active` says what is divided, "{:.4f} active a pixel".
  std::string put(Store& store, double units, const std::string& active) const;
};

/// A dictionary and what infers its codes.
struct CodeMeasure {
  const LatentMinimum& minimum;
  const FactorGraph& graph;   // of the objective
  const FactorGraph& energy;  // whose minimum is reported
  const Variable& y;
  const Module& decoder;
  const Module* encoder = nullptr;
  Index together = 1000;  // samples whose codes stand in memory at a time
};

/// Measures samples [0, count) of a source.
CodeReport measure_codes(const CodeMeasure& what, const Source& source, Index count, Key key);

/// Objectives' options that all dictionaries share: norm 1, idle elements replaced, inference from the
/// encoder's guess where there is one.
LatentMinimumOptions dictionary_options(const InferOptions& infer, Index dead_after,
                                        std::shared_ptr<const Module> encoder, const Variable& y);

}  // namespace basin

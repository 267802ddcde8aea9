#pragma once

#include <optional>

#include "config/config.h"
#include "energy/likelihood/step_log_likelihood.h"
#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage whose steps are RBMs given those before: how log Z of each is found.
struct FrameLikelihood {
  static constexpr const char* kWhat = "frames that are RBMs given those before";

  Variable v;                                  // the frames
  bool exact = false;                          // by all states of a step's smaller side
  StepAnnealingOptions annealing = {};         // after training, and
  StepAnnealingOptions of_epochs = annealing;  // after each epoch
  std::optional<Index> most = {};              // sequences of a part; none: all
};

/// The keys [evaluate] log_likelihood ("exact" is the rest) and ais.*; `none` where it is to be none.
struct ReadFrameLikelihood {
  FrameLikelihood how;
  bool none = false;
};
ReadFrameLikelihood read_frame_likelihood(const Config& tables, bool smoke);

/// "frames": step_nats_test and _validation, the mean -log p of a frame given those before, in nats. By
/// annealing also, of each part, "step_nats_error_*", its standard error by the chains; "step_nats_bias_*",
/// by how much it is too low on average; "effective_samples_*" and "least_effective_samples_*", of the chains
/// of a frame, the median and the least; /evaluation/test_sequence_nats and test_sequence_steps as
/// "sequences". In epochs step_nats of the validation samples, else of the test samples, by fewer chains.
/// Draws under key.fold("evaluate").
Measure frames_measure();

}  // namespace basin

#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "energy/factors/sequences/step_likelihood.h"
#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage that says something of sequences: of every step, or values of the whole; or values of
/// samples that are no sequences.
struct SequencePredictions {
  static constexpr const char* kWhat = "predictions of sequences";
  std::shared_ptr<const StepLikelihood> steps = nullptr;  // null: values
  std::shared_ptr<const Module> values = nullptr;         // x -> [N, numbers]
  Variable x, y;
  bool carried = false;               // samples are parts of one sequence each, one after another
  std::optional<Index> ignored = {};  // a symbol that does not count where errors are counted
  Index written = 0;                  // symbols of a text that the model makes up after training
  Index sampled = 3;                  // of the plot "samples", of bits: sequences, and
  Index sampled_steps = 200;          // their steps
  /// Frames of bits that are drawn otherwise than each bit by itself, by what `steps` says: [steps, size].
  std::function<Tensor(Index steps, Key key)> made_up = {};

  /// Whether there is a model that makes up frames of bits.
  bool makes_up_frames() const { return made_up || (steps && x.domain == Domain::Binary && x == y); }
};

/// "sequences": of test and validation samples step_nats_test, _validation, the mean -log p of a step in nats
/// (of symbols and of frames of bits; of real numbers of the density of a normal one of unit variance), and
/// step_error_*, the fraction of symbols that are not the most probable one; of values mse_*, the mean
/// squared error. In epochs those of the validation samples, else of the test samples. Where states are
/// carried a part is read from its start to its end as one sequence. A text is drawn symbol by symbol under
/// key.fold("text"), from the first class; it goes to /evaluation/text.
Measure sequences_measure();

}  // namespace basin

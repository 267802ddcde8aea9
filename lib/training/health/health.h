#pragma once

#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "tensor/error.h"
#include "training/history.h"
#include "training/stage_view.h"

namespace basin {

/// What a training is looked over for at the end of every epoch. 0 switches a check off, as does false.
struct HealthOptions {
  bool stops = false;            // where something ails it; else that is said, once for each check
  double diverged = 10.0;        // a classifier's mean loss, in those of a guess: ill from there on
  double idle_units = 0.5;       // share of hidden units that say the same of all samples: ill from there on
  bool unconverged = true;       // inference that has not converged
  double energy_gap = 1.0;       // nats for each number of a sample
  double mixing = 3.0;           // split R-hat
  double chain_variance = 1e-3;  // of chains, as a share of the data's
  double code_variance = 1e-6;   // as a share of the mean square
  double bracket = 10.0;         // nats between the ends of what log-likelihoods may be
};

/// The table [health] of a stage.
HealthOptions read_health(const Config& table);

/// A training as it is at the end of an epoch.
struct HealthView {
  const StageView& view;
  const History& history;
  Index steps_per_epoch = 1, batch = 1;
};

/// What ails a training, in words, with what to do about it.
struct Ailment {
  std::string check;  // its key in [health]
  std::string text;
};

/// Those that there are:
///   diverged        by the loss of the last epoch of a classifier that learns p(label | x): so many times
///   log(classes), which is the loss of one that takes all classes for equally likely
///   idle_units, unconverged   by the metrics of the last epoch (dead_units, saturated_units; unconverged,
///   gap) energy_gap      of a Contrast whose negative phase are chains: mean F(data) - mean F(chains) has
///   drawn away
///                   from 0 over six epochs, by no less in the last two than half of what it did in the two
///                   before, and is larger than so many nats for each number of a sample
///   mixing          of persistent chains, copies of which make kMoves moves with parameters held: split
///   R-hat
///                   (energy/sample/diagnostics.h) of their energy and of eight random projections; as often
///                   as to cost a twentieth of the training's own moves at most
///   chain_variance  of the particles over persistent chains, summed over their numbers, against the data's
///   code_variance   of the encoder's outputs over samples against their mean square: all samples, one code
///   bracket         of the measure "brackets" (measures/brackets.h)
/// A function of the checkpoint alone: a resumed training is found ill when the unbroken one is.
std::vector<Ailment> ailments(const HealthView& at, const HealthOptions& options);

/// Looks a training over, epoch after epoch.
class HealthWatch {
 public:
  explicit HealthWatch(HealthOptions options) : options_(options) {}
  /// Says what ails it, each thing once. Throws Unhealthy where the options say that it stops.
  void look_over(const HealthView& at);

 private:
  HealthOptions options_;
  std::set<std::string> said_;  // checks whose ailment was
};

/// A training is ill, and [health] says that it is to stop.
class Unhealthy : public Error {
 public:
  using Error::Error;
};

}  // namespace basin

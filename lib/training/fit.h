#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "energy/objectives/objective.h"
#include "tensor/error.h"
#include "training/early_stop.h"
#include "training/history.h"
#include "training/optimizers/average.h"
#include "training/optimizers/optimizer.h"
#include "training/source.h"

namespace basin {

struct FitOptions {
  Index epochs = 1;
  Index batch = 100;
  Key key = Key(0);
  BatchOptions pixels = {};   // of fit() on Samples; its key is replaced by this fit's, epoch by epoch
  Index metrics_every = 20;   // steps between two measurements of the objective's metrics
  Index check_every = 100;    // steps between two checks that all numbers are finite
  std::string stage = "fit";  // its name in messages
  decltype(EvaluateOptions::reduce) reduce = {};  // where every batch is one slice of many
  Average* average = nullptr;                     // takes part in every step when given
  /// Metrics of a whole epoch, measured when it ends, given its number (1, 2, ...).
  std::function<std::map<std::string, double>(Index epoch)> monitor = {};
  std::optional<EarlyStop> stop = {};  // by a metric of epochs
};

/// What fit() carries from step to step beside the parameters and the optimizer: a fit goes on from it as if
/// never interrupted.
struct FitState {
  Index step = 0;  // done
  Carry carry;
  History history;
  std::map<std::string, Tensor> best = {};  // the parameters of the best epoch, while Keep::Best is under way
};

/// Where a fit stands after a step.
struct FitReport {
  Index step = 0, steps = 0;    // done, in all
  Index epoch = 0, epochs = 0;  // finished, in all
  Index batch = 0;
  bool epoch_ended = false;
  const History* history = nullptr;
  std::string stage = {};  // FitOptions::stage
};

/// Called after every step; false stops the fit there, complete up to that step.
using FitObserver = std::function<bool(const FitReport& report)>;

/// Lowers an objective by stochastic gradient steps: for each epoch, all samples in a random order, batch
/// after batch. Of several sources, for objectives with terms on data of their own (SumObjective), every step
/// takes a batch of each; the first defines the epoch.
///
/// Buffers (Parameter::buffer) of modules take in each batch of the first source after its step; where they
/// are frozen they stay. Objectives that take the energy of the batch in one pass (MeanEnergy,
/// SequenceEnergy, a classifier's likelihood, LabelLoss) observe in that pass, which may use statistics of
/// the batch (BatchNorm); after a step of another, under which every pass keeps samples apart, a pass over
/// the factors whose variables the batch holds does, at the parameters that the step has reached.
///
/// Parameters are the graph's, then the objective's own; those that the optimizer freezes ask for no
/// gradient.
///
/// An optimizer that looks at the loss elsewhere (Optimizer::looks_out) evaluates the step's batch again
/// under the step's keys; it takes objectives that say "loss" and carry nothing.
///
/// Step s of epoch e draws its order under key.fold("order").fold(e), its pixels under
/// key.fold("pixels").fold(e), and all else under key.fold("step").fold(e).fold(s) and
/// key.fold("finish").fold(e).fold(s): the state after any step is a function of the key and of that number
/// of steps alone. Source k > 0 walks its own epochs, in orders under key.fold("source").fold(k). What is
/// left after the last whole batch of an epoch is not seen in that epoch (batches, and so the chains that PCD
/// keeps, have one size).
///
/// A fit that `stop` ends early goes no further from its state; Keep::Best leaves the parameters and buffers
/// as they were at the end of the best epoch.
///
/// Throws Error when a batch is larger than the data, and NotFinite "[fit] ..." naming stage, epoch, step,
/// factor and parameter as soon as a check (see FitOptions::check_every; also at the end of every epoch)
/// finds a number that is not finite.
void fit(const FactorGraph& graph, const Objective& objective, const std::vector<Source>& sources,
         Optimizer& optimizer, const FitOptions& options, FitState& state, const FitObserver& observer = {});

/// The same from the start, on samples whose columns become values of the variables of their names, the first
/// column else of the first variable (inputs_of); a tensor [count, ...] is such a column.
FitState fit(const FactorGraph& graph, const Objective& objective, const Samples& samples,
             Optimizer&& optimizer, const FitOptions& options = {}, const FitObserver& observer = {});

/// A number of a training is not finite, or an energy that was convex where it must be is not any more.
class NotFinite : public Error {
 public:
  using Error::Error;
};

/// Throws NotFinite naming the first parameter of graph or objective, and its factor, or the first carried
/// tensor that holds a number that is not finite; `where` opens the message.
void check_finite(const FactorGraph& graph, const Objective& objective, const Carry& carry,
                  const std::string& where);

}  // namespace basin

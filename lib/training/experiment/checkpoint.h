#pragma once

#include <string>
#include <vector>

#include "modules/parameter.h"
#include "results/hdf5/store.h"
#include "training/fit.h"
#include "training/optimizers/average.h"
#include "training/optimizers/optimizer.h"

namespace basin {

/// Writes all that a fit needs to go on as if never interrupted:
///   /parameters/<name>   /optimizer/<name>   /average/<name>   /carry/<name>   /metrics/{step,epoch}/...
///   /checkpoint/{step,epoch}   /best/<name>, while the best parameters are kept beside later ones
/// and removes what an earlier checkpoint in the same store left there. No generator state: draws are
/// functions of keys. Throws NotFinite, and leaves the store unfit to be saved, where a tensor holds a number
/// that is not finite; all that read it do so too, naming the file.
void write_checkpoint(Store& store, const std::vector<Parameter>& parameters, const Optimizer& optimizer,
                      const Average* average, const FitState& state, Index epoch);

/// Inverse of write_checkpoint: fills the parameters in place. Throws Error when the store holds another
/// model's parameters, or counts of steps, epochs and metrics that do not fit each other.
FitState read_checkpoint(const Store& store, const std::vector<Parameter>& parameters, Optimizer& optimizer,
                         Average* average);

/// What the steps of a fit are counted by.
struct StepCounts {
  Index steps_per_epoch, epochs, metrics_every;
};

/// Throws Error unless what read_checkpoint gave is a moment of a fit of so many steps and epochs, with the
/// metrics that it has at that moment.
void check_steps(const Store& store, const FitState& state, const StepCounts& counts);

/// Fills the parameters in place with the group's tensors ("/parameters", "/average"). Throws Error naming
/// what is missing or has another shape.
void read_parameters(const Store& store, const std::string& group, const std::vector<Parameter>& parameters);

/// The objective's carried tensors, /carry.
Carry carry_of(const Store& store, Device device);

}  // namespace basin

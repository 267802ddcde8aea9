#pragma once

#include "energy/graph.h"
#include "results/store.h"
#include "training/fit.h"
#include "training/optimizers/average.h"
#include "training/optimizers/optimizer.h"

namespace basin {

/// Writes all that a fit needs to go on as if never interrupted:
///   /parameters/<name>   /optimizer/<name>   /average/<name>   /carry/<name>   /metrics/{step,epoch}/...
///   /checkpoint/{step,epoch}
/// and removes what an earlier checkpoint in the same store left there. No generator state: draws are
/// functions of keys.
void write_checkpoint(Store& store, const FactorGraph& graph, const Optimizer& optimizer,
                      const Average* average, const FitState& state, Index epoch);

/// Inverse of write_checkpoint: fills the graph's parameters in place. Throws Error when the store holds
/// another model's parameters.
FitState read_checkpoint(const Store& store, const FactorGraph& graph, Optimizer& optimizer,
                         Average* average);

/// Fills the graph's parameters in place with the group's tensors ("/parameters", "/average"). Throws Error
/// naming what is missing or has another shape.
void read_parameters(const Store& store, const std::string& group, const FactorGraph& graph);

}  // namespace basin

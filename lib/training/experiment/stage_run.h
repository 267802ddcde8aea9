#pragma once

#include "data/dataset.h"
#include "training/experiment/record.h"

namespace basin {

/// Trains a stage on data, measures it and draws its pictures; goes on from what `results` (a group of a
/// results file, LAYOUT.md) hold of it. All goes into the record, checkpoint by checkpoint. False: stopped by
/// the hook. The stage is left with the parameters that were evaluated. Throws Error.
bool run_stage(const StagePlan& plan, const Stage& stage, const Dataset& data, Store results, Record& record,
               const RunHooks& hooks);

/// What training changes: the parameters of a stage's graph, then those that its objective owns.
std::vector<Parameter> trained_parameters(const Stage& stage);

/// Fills a stage's parameters and buffers from its complete results: the averages where there are any.
void restore_stage(const Stage& stage, const Store& results);

/// Whether a group holds a stage that is trained and measured.
bool is_complete(const Store& results);

}  // namespace basin

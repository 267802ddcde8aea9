#pragma once

#include "config/reader.h"
#include "models/recurrent.h"
#include "training/measures/sequences.h"

namespace basin {

/// What kinds with recurrent layers share.

/// The keys [model] cell, embedding, layers, dropout, peepholes, forget_bias and unit.
void read_cells(const Reader& model, RecurrentModelOptions& options);

/// The keys [results] sample_chains and sample_steps, where they are given: of piano rolls in a picture.
void read_roll_picture(const Reader& results, Index& rolls, Index& steps);

/// The rewrite rules that compute such layers there.
Rules rules_of(const RecurrentOptions& layer, Placement placement);

}  // namespace basin

#pragma once

#include <span>

#include "data/dataset.h"
#include "training/stage.h"

namespace basin {

/// What the last of some stages, one that learns from patches (everywhere.h), is trained and measured on:
/// patches of what the others, one after another, make of a data set, or of its samples where there are no
/// others. `count` of them for training, a tenth of that, at least one, for tests and for validation, where
/// there are samples for those; one column, without labels.
///
/// Patch i of a part lies at a place of a sample, all of them alike, that is a function of (the stage's key,
/// i) alone. Only samples that patches are cut from go through the stages, each once. Throws Error where
/// patches take more than half of the machine's memory.
Dataset cut_patches(std::span<const Stage> stages, const Dataset& data);

}  // namespace basin

#pragma once

#include "training/dictionary.h"
#include "training/stage.h"

namespace basin {

/// Snapshots of a training, at most: so that they stay a small part of its results file.
inline constexpr Index kMostSnapshots = 100;

/// Throws Error where a stage has no weights that are pictures: neither a Dictionary nor NetworkLayers.
void check_snapshot(const Stage& stage);

/// The weights of a stage as they are now, as its plots show them: what each unit adds to a sample, of a
/// network the filters of its first layer. The first 100 in their order, or fewer, so that they are at most
/// 2^18 numbers: the same ones whenever they are asked for.
Picturable snapshot(const Stage& stage, const Preprocessing& preprocessing);

}  // namespace basin

#pragma once

#include <functional>
#include <span>

#include "data/dataset.h"
#include "training/stage.h"

namespace basin {

/// Makes a stage that can be sampled the top of a deep belief net (BeliefNet, measures/bound.h) where all
/// stages below it are restricted Boltzmann machines whose units fit; measured by its bound where it has a
/// likelihood. `data` gives what the first of them learns from. Else nothing happens.
void join_below(Stage& top, std::span<const Stage> below, std::function<const Dataset&()> data);

}  // namespace basin

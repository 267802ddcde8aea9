#pragma once

#include "data/dataset.h"
#include "training/plan.h"

namespace basin {

/// Samples for a next layer: what the encoder in a results file makes of the samples of that experiment,
/// |g(y)|, divided by one factor for all by which their mean square is 1. Dataset::preprocessing
/// shows what is learned from them as pictures, through the elements and filters of the layers below.
///
/// plan.data.name is "features", options.path the file; options.train and test are numbers of samples, 0 =
/// all that the experiment had. The layer below may have learned from features itself. Throws Error when its
/// experiment is not complete or has no encoder, when there are fewer samples, and when files name one
/// another in a circle.
Dataset load_features(const Plan& plan);

}  // namespace basin

#pragma once

#include <functional>
#include <vector>

#include "training/experiment/plan.h"

namespace basin {

/// The stages of a plan one on another, each for what the encoder of the one below gives, of samples of a
/// shape; `samples` gives those for training to a first stage that must know their columns. All are built
/// before the first is trained; each starts under its key: Key(plan.seed) where it is the only one. Throws
/// Error naming a stage that does not fit what stands below it.
std::vector<Stage> make_stages(const Plan& plan, const Shape& sample_shape, Device device,
                               const std::function<Samples()>& samples = {});

/// The labels of samples, of no classes where they have none.
LabelColumn label_column(const Samples& samples);

/// The head of a plan on what its stages' encoders give of samples of a shape, by the parameters of them all,
/// "<stage>.<name>" and "head.<name>"; or on those codes as samples, by its own. `samples` as of
/// make_stages(). Throws Error where a gradient is asked for that does not pass through a stage, and where a
/// head wants labels and there are none.
Stage make_head(const Plan& plan, const std::vector<Stage>& stages, const Shape& sample_shape,
                const LabelColumn& labels, Device device, const std::function<Samples()>& samples = {});

/// The data of a head: those whose labels may be used in the place of all for training, where it learns
/// labels.
Dataset head_data(const Stage& head, Dataset data);

/// Gives the matrices of a stage's encoder a random start for a stack that is trained as one (uniform, as in
/// Initializer); a stage that trains nothing by itself keeps the start of its kind.
void randomise(const Stage& stage);

}  // namespace basin

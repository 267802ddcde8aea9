#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "training/stage.h"

namespace basin {

/// Weights of terms by the names of stages.
using JointWeights = std::map<std::string, double>;

/// Makes the objective of a head that trains its stages theirs, too:
///   loss = head's loss(labelled batch) + sum_s weight_s loss_s(batch of all samples),
/// loss_s what stage s learns by itself (reconstruction, contrastive divergence, ...), of what the stages
/// below it give, which is held. `samples` gives all for training, with labels or without, when training
/// begins. What a stage has beside its encoder (a decoder, visible biases) is trained as the objective's own,
/// under the stage's name. Throws Error for a stage that learns from patches, that sees labels, or whose
/// codes its own parameters do not give. Reference: Ranzato, Szummer 2008, "Semi-supervised learning of
/// compact document representations with deep networks".
void add_joint_terms(Stage& head, const std::vector<Stage>& stages, const JointWeights& weights,
                     const std::function<Samples()>& samples);

}  // namespace basin

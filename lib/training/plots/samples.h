#pragma once

#include <cstdint>
#include <vector>

#include "training/measures/sampling.h"
#include "training/plots/plot.h"

namespace basin {

/// What a stage shows of its fantasies: the last visible states, or their means given the last hidden ones.
enum class Fantasy { States, Means };

/// Samples that a stage makes up.
struct Fantasies {
  Tensor samples;                         // [chains, ...]
  std::vector<std::int32_t> labels = {};  // of those that have any
};

/// The ends of Gibbs chains that start from the objective's particles, or from coin flips (binary) or normals
/// (real) where there are none, and from all labels in turn; `clamped` labels, one a chain, stay. At the top
/// of a deep belief net (BeliefNet) what the layers below draw from them: samples of the first stage. Draws
/// under key.fold("samples"). Throws Error for labels that it does not have.
Fantasies fantasies(const StageView& view, const Sampling& how, Fantasy shown,
                    const std::vector<std::int32_t>& clamped = {});

}  // namespace basin

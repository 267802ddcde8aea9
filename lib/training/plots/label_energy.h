#pragma once

#include "training/deep_codes.h"
#include "training/plots/plot.h"

namespace basin {

/// |dE(x, y)/dx| of samples with their labels, E the energy of the stage's graph: how much each pixel counts
/// for the label's energy. [N, height, width], of colours the largest. Reference: Simonyan, Vedaldi and
/// Zisserman 2014, "Deep inside convolutional networks", section 3.
Tensor saliency(const Stage& stage, const State& batch);

struct ClassImageOptions {
  double decay = 0.1;            // a: weight of 1/2 |x|^2
  double roughness = 1.0;        // r: weight of 1/2 of the squared differences of neighbours
  Index steps = 300;             // of (proximal) gradient descent, each of 1 / (a + 8 r)
  double start = 0.5;            // of every pixel: where all is black, units that rectify may be off
  bool in_unit_interval = true;  // pixels stay in [0, 1]
};

/// For each of the first `count` codes the x that lowers -f_i(x) + a/2 |x|^2 + r/2 sum (differences of
/// neighbours)^2, as class_images() for classes: what a unit of the last stage looks for through all the
/// stages. f is log g where codes are probabilities, which no saturation stops, else g. [count, x.shape...].
/// Reference: Erhan, Bengio, Courville and Vincent 2009, "Visualizing higher-layer features of a deep
/// network", section 3.
Tensor feature_images(const Stage& stage, Index count, bool are_probabilities,
                      const ClassImageOptions& options = {});

/// For each class the x that lowers E(x, y) + a/2 |x|^2 + r/2 sum (differences of neighbours)^2, from a
/// constant: activation maximisation. [classes, x.shape...]. Reference: the same, section 2.
Tensor class_images(const Stage& stage, const ClassImageOptions& options = {});

}  // namespace basin

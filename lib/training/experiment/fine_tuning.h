#pragma once

#include <limits>
#include <vector>

#include "data/dataset.h"
#include "results/hdf5/store.h"
#include "training/stage.h"

namespace basin {

/// What a layer says of samples: the shares of all its activations at the lower and at the upper end of what
/// its units can say (within 0.01), where the slopes of units that saturate vanish, and the share of units
/// that say the same of every sample, within 0.01. The ends are 0, or -1 where there are negative codes, and
/// 1, of layers whose codes lie between them; of others (ReLUs) 0 alone, or none: NaN then.
struct LayerState {
  std::string name;  // of its stage; of a layer of a network "net: layer 2"
  double off = std::numeric_limits<double>::quiet_NaN(), on = std::numeric_limits<double>::quiet_NaN(),
         constant = 0.0;
};

/// Of activations [samples, ...].
LayerState layer_state(std::string name, const Value& activations);

/// The layers of stages one on another, from the first on, each as it answers what the one below gives of the
/// first 1,000 samples. Stages without numbers of their own are passed through, and are no layers. Reference:
/// Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks",
/// section 3.
std::vector<LayerState> layer_states(const std::vector<Stage>& stages, const Samples& samples);

/// Puts into /fine_tune of a head's results (LAYOUT.md) how the layers below it are before it trains them.
void note_layers(const std::vector<Stage>& stages, const Samples& samples, Store& results);

/// Puts there, until note_distance(), the head's parameters as its training begins.
void note_start(const Stage& head, Store& results);

/// Puts there how far each parameter is from where it was: |p - p_0|, and |p_0|. Nothing where nobody noted
/// the start.
void note_distance(const Stage& head, Store& results);

}  // namespace basin

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "modules/sequential/sequential.h"
#include "training/dictionary.h"
#include "training/plots/plot.h"

namespace basin {

/// Facet for the plots "filters" and "feature_maps": a stage that is a network of layers, or a head on one
/// that sees the samples.
struct NetworkLayers {
  static constexpr const char* kWhat = "a network of layers that sees the samples";

  std::shared_ptr<const Sequential> network;
  std::vector<std::string> texts;  // of its modules
};

/// The filters of the first layer that has weights, [count, channels, height, width] of a convolution, those
/// of a dense one in the shape of the sample. Of other numbers of channels than 1 and 3, the first. Throws
/// Error where they are no pictures.
Picturable first_filters(const NetworkLayers& layers, const Shape& sample);

/// What a convolution makes of samples, behind its normalisation and activation where those follow.
struct FeatureMaps {
  std::string name;  // "layer 4: conv 16 5x5, relu"
  Tensor maps;       // [N, maps, height, width]
};
std::vector<FeatureMaps> feature_maps(const NetworkLayers& layers, const Value& samples);

}  // namespace basin

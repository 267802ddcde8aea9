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

/// The weights of each output of the first layer that has products: of a convolution as wide as what an
/// output sees, of a transposed one as what an input leaves in that output, of a dense one in the shape of
/// the sample. Of other numbers of channels than 1 and 3, each channel is a picture of its own. Throws Error
/// where they are no pictures: of a layer with other weights at each place, or dense on what others have
/// made.
Picturable first_filters(const NetworkLayers& layers, const Shape& sample);

/// What a convolution makes of samples, behind the normalisations and activations that follow it; what a
/// normalisation makes that follows none.
struct FeatureMaps {
  std::string name;  // "layer 4: conv 16 5x5, relu"
  Tensor maps;       // [N, maps, height, width]
};
std::vector<FeatureMaps> feature_maps(const NetworkLayers& layers, const Value& samples);

}  // namespace basin

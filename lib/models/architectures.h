#pragma once

#include <string>
#include <vector>

#include "tensor/shape.h"

/// Published networks as lists of layers (layers.h), without the linear layer to the classes, which is the
/// head's.
namespace basin {

/// One of them by the name that experiments give it, for samples of one shape; a single map may stand as
/// [H, W] or [1, H, W].
struct Architecture {
  std::string name;
  Shape sample;
  std::vector<std::string> layers;
};

/// lenet5, alexnet, zf: as below.
const std::vector<Architecture>& architectures();

/// dense K, activation, for each K; behind each a dropout of that share where it is above 0.
std::vector<std::string> mlp_layers(const std::vector<Index>& widths, const std::string& activation = "relu",
                                    double dropout = 0.0);

/// 6-16-120-84 on [28, 28], tanh, with the table of connections of the third layer; pools are averages.
/// Reference: LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition".
std::vector<std::string> lenet5_layers();

/// On [3, 224, 224], without local response normalisation. The first fully connected layer sees 9,216
/// numbers.
/// Reference: Krizhevsky, Sutskever, Hinton 2012, "ImageNet classification with deep convolutional neural
/// networks", section 3.5.
std::vector<std::string> alexnet_layers();

/// On [3, 224, 224], without contrast normalisation.
/// Reference: Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", figure 3.
std::vector<std::string> zf_layers();

}  // namespace basin

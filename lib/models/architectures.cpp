#include "models/architectures.h"

#include <fmt/format.h>

namespace basin {

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = {{"lenet5", {28, 28}, lenet5_layers()},
                                                {"alexnet", {3, 224, 224}, alexnet_layers()},
                                                {"zf", {3, 224, 224}, zf_layers()}};
  return all;
}

std::vector<std::string> mlp_layers(const std::vector<Index>& widths, const std::string& activation,
                                    double dropout) {
  std::vector<std::string> layers;
  for (const Index width : widths) {
    layers.push_back(fmt::format("dense {}", width));
    layers.push_back(activation);
    if (dropout > 0.0) layers.push_back(fmt::format("dropout {}", dropout));
  }
  return layers;
}

std::vector<std::string> lenet5_layers() {
  return {"conv 6 5x5 pad 2",
          "tanh",
          "pool average 2",
          "conv 16 5x5 connections lenet5",
          "tanh",
          "pool average 2",
          "conv 120 5x5",
          "tanh",
          "dense 84",
          "tanh"};
}

std::vector<std::string> alexnet_layers() {
  return {"conv 96 11x11 stride 4 pad 2",
          "relu",
          "pool max 3 stride 2",
          "conv 256 5x5 pad 2 groups 2",
          "relu",
          "pool max 3 stride 2",
          "conv 384 3x3 pad 1",
          "relu",
          "conv 384 3x3 pad 1 groups 2",
          "relu",
          "conv 256 3x3 pad 1 groups 2",
          "relu",
          "pool max 3 stride 2",
          "dense 4096",
          "relu",
          "dropout 0.5",
          "dense 4096",
          "relu",
          "dropout 0.5"};
}

std::vector<std::string> zf_layers() {
  return {"conv 96 7x7 stride 2 pad 1",
          "relu",
          "pool max 3 stride 2 pad 1",
          "conv 256 5x5 stride 2",
          "relu",
          "pool max 3 stride 2 pad 1",
          "conv 384 3x3 pad 1",
          "relu",
          "conv 384 3x3 pad 1",
          "relu",
          "conv 256 3x3 pad 1",
          "relu",
          "pool max 3 stride 2",
          "dense 4096",
          "relu",
          "dropout 0.5",
          "dense 4096",
          "relu",
          "dropout 0.5"};
}

}  // namespace basin

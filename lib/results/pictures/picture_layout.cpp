#include <algorithm>
#include <cmath>
#include <vector>

#include "results/pictures/picture.h"

namespace basin {

Tensor on_host(const Tensor& numbers) { return numbers.to({Dtype::F32, Device::Cpu}); }

TileOptions sized(TileOptions options, const Shape& sample_shape) {
  const std::size_t rank = sample_shape.size();
  const bool has_channels = rank == 3 && (sample_shape[0] == 1 || sample_shape[0] == 3);
  if (rank != 2 && !has_channels) return options;
  options.height = static_cast<int>(sample_shape[rank - 2]);
  options.width = static_cast<int>(sample_shape[rank - 1]);
  options.channels = has_channels ? static_cast<int>(sample_shape[0]) : 1;
  return options;
}

void share_grey_levels(const Tensor& tiles, Index columns) {
  const Index size = tiles.size() / tiles.dim(0);
  std::vector<float> largest(static_cast<std::size_t>(columns), 0.0f);
  float* numbers = tiles.host<float>();
  for (Index i = 0; i < columns * size; ++i) {
    float& most = largest[static_cast<std::size_t>(i / size)];
    most = std::max(most, std::abs(numbers[i]));
  }
  for (Index i = 0; i < tiles.size(); ++i) {
    const float most = largest[static_cast<std::size_t>(i / size % columns)];
    if (most > 0.0f) numbers[i] = std::clamp(numbers[i] / most, -1.0f, 1.0f);
  }
}

}  // namespace basin

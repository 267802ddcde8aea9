#include <algorithm>
#include <cmath>
#include <vector>

#include "results/pictures/picture.h"
#include "tensor/error.h"

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

Picture beside(const Picture& left, const Picture& right) {
  constexpr int kGap = 12;
  constexpr std::uint8_t kWhite = 255;
  const int channels = left.channels;
  if (right.channels != channels)
    throw Error("[beside] expected two grey pictures or two coloured ones, received one of each");
  Picture both{.width = left.width + kGap + right.width,
               .height = std::max(left.height, right.height),
               .channels = channels,
               .pixels = {}};
  both.pixels.assign(static_cast<std::size_t>(both.width) * static_cast<std::size_t>(both.height) *
                         static_cast<std::size_t>(channels),
                     kWhite);
  const auto paste = [&](const Picture& part, int at) {
    for (int y = 0; y < part.height; ++y) {
      const std::ptrdiff_t row = std::ptrdiff_t{part.width} * channels;
      const auto from = part.pixels.begin() + y * row;
      std::copy(from, from + row, both.pixels.begin() + (std::ptrdiff_t{y} * both.width + at) * channels);
    }
  };
  paste(left, 0);
  paste(right, left.width + kGap);
  return both;
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

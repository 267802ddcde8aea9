#include <algorithm>
#include <cmath>
#include <vector>

#include "results/picture.h"

namespace basin {

Tensor on_host(const Tensor& numbers) { return numbers.to({Dtype::F32, Device::Cpu}); }

TileOptions sized(TileOptions options, const Shape& sample_shape) {
  if (sample_shape.size() == 2) {
    options.height = static_cast<int>(sample_shape[0]);
    options.width = static_cast<int>(sample_shape[1]);
  }
  return options;
}

Picture beside(const Picture& left, const Picture& right) {
  constexpr int kGap = 12;
  constexpr std::uint8_t kWhite = 255;
  Picture both{.width = left.width + kGap + right.width,
               .height = std::max(left.height, right.height),
               .channels = 1,
               .pixels = {}};
  both.pixels.assign(static_cast<std::size_t>(both.width) * static_cast<std::size_t>(both.height), kWhite);
  const auto paste = [&](const Picture& part, int at) {
    for (int y = 0; y < part.height; ++y) {
      const auto from = part.pixels.begin() + static_cast<std::ptrdiff_t>(y) * part.width;
      std::copy(from, from + part.width,
                both.pixels.begin() + static_cast<std::ptrdiff_t>(y) * both.width + at);
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

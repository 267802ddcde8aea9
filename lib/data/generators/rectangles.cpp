#include "data/generators/rectangles.h"

#include <fmt/format.h>

#include <cstdlib>

#include "data/draws.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kSide = 28, kPixels = kSide * kSide;

struct Rectangle {
  Index left, top, width, height;

  bool holds(Index x, Index y) const { return x >= left && x < left + width && y >= top && y < top + height; }
  bool has_on_border(Index x, Index y) const {
    return holds(x, y) && (x == left || x == left + width - 1 || y == top || y == top + height - 1);
  }
};

struct Sizes {
  Index least_side, least_difference;
  double least_area, most_area;  // shares of the picture
};

Rectangle draw(Draws& draws, const Sizes& sizes) {
  const auto uniform = [&](Index low, Index high) {
    return low + static_cast<Index>(draws.below(static_cast<std::uint32_t>(high - low + 1)));
  };
  Rectangle drawn{};
  double area = 0.0;
  do {
    drawn.width = uniform(sizes.least_side, kSide);
    drawn.height = uniform(sizes.least_side, kSide);
    area = static_cast<double>(drawn.width * drawn.height) / kPixels;
  } while (std::abs(drawn.width - drawn.height) < sizes.least_difference || area < sizes.least_area ||
           area > sizes.most_area);
  drawn.left = uniform(0, kSide - drawn.width);
  drawn.top = uniform(0, kSide - drawn.height);
  return drawn;
}

/// `pixel(sample, rectangle, x, y)` of every pixel.
template <class Pixel>
Samples make(Key key, Index count, const Sizes& sizes, Pixel pixel) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(element_count({count, kPixels})));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < count; ++i) {
    Draws draws(key.fold(static_cast<std::uint64_t>(i)));
    const Rectangle rectangle = draw(draws, sizes);
    for (Index p = 0; p < kPixels; ++p)
      pixels[static_cast<std::size_t>(i * kPixels + p)] = pixel(i, rectangle, p % kSide, p / kSide);
    labels[static_cast<std::size_t>(i)] = rectangle.width > rectangle.height ? 1 : 0;
  }
  return {byte_column("image", {kSide, kSide}, std::move(pixels)),
          integer_column("label", {}, std::move(labels), 2)};
}

}  // namespace

Samples rectangles(Key key, Index count) {
  if (count < 0) throw Error(fmt::format("[rectangles] expected a count >= 0, received {}", count));
  return make(key, count, {2, 3, 0.0, 1.0}, [](Index /*i*/, const Rectangle& rectangle, Index x, Index y) {
    return rectangle.has_on_border(x, y) ? std::uint8_t{255} : std::uint8_t{0};
  });
}

Samples rectangle_images(Key key, const Tensor& inside, const Tensor& outside) {
  if (inside.rank() != 3 || inside.shape() != outside.shape() || inside.size() != inside.dim(0) * kPixels) {
    throw Error(fmt::format("[rectangle_images] expected patches of [count, 28, 28], received {} and {}",
                            to_string(inside.shape()), to_string(outside.shape())));
  }
  return make(key, inside.dim(0), {10, 5, 0.25, 0.75},
              [in = inside.host<float>(), out = outside.host<float>()](Index i, const Rectangle& rectangle,
                                                                       Index x, Index y) {
                const Index p = i * kPixels + y * kSide + x;
                return static_cast<std::uint8_t>(255.0f * (rectangle.holds(x, y) ? in[p] : out[p]) + 0.5f);
              });
}

}  // namespace basin

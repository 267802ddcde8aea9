#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "results/picture.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr std::uint8_t kZero = 128;        // of a signed tile
constexpr std::uint8_t kSignedBorder = 0;  // black: neither zero's grey nor white
constexpr std::uint8_t kBorder = 96;       // of tiles whose zero is black

struct TileShape {
  Index height, width;
};

TileShape tile_shape(Index pixels, const TileOptions& options) {
  TileShape shape{options.height, options.width};
  if (shape.height == 0 && shape.width == 0) {
    shape.height = static_cast<Index>(std::sqrt(static_cast<double>(pixels)));
    while (pixels % shape.height != 0) {
      --shape.height;
    }
  }
  if (shape.height == 0) {
    shape.height = pixels / shape.width;
  }
  if (shape.width == 0) {
    shape.width = pixels / shape.height;
  }
  if (shape.height < 1 || shape.width < 1 || shape.height * shape.width != pixels) {
    throw Error(fmt::format("[tile] expected tiles of {} pixels, received height {} and width {}; 0 chooses",
                            pixels, options.height, options.width));
  }
  return shape;
}

/// Largest |value|, sum of squares: of the finite ones.
struct Extent {
  double largest = 0, squares = 0;
};

Extent extent(const double* values, Index count) {
  Extent extent;
  for (Index i = 0; i < count; ++i) {
    if (std::isfinite(values[i])) {
      extent.largest = std::max(extent.largest, std::abs(values[i]));
      extent.squares += values[i] * values[i];
    }
  }
  return extent;
}

std::uint8_t shade(double value, bool is_signed, double largest) {
  if (std::isnan(value)) {
    value = 0;
  }
  if (!is_signed) {
    return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
  }
  if (value == 0 || largest == 0) {
    return kZero;
  }
  return static_cast<std::uint8_t>(kZero + std::lround(127 * std::clamp(value / largest, -1.0, 1.0)));
}

}  // namespace

Picture tile(const Tensor& rows, const TileOptions& options) {
  const Index count = rows.defined() && rows.rank() >= 2 ? rows.dim(0) : 0;
  if (rows.size() == 0 || count == 0 || options.zoom < 1 || options.columns < 0 || options.limit < 0) {
    throw Error(fmt::format("[tile] expected tiles as [count, pixels] and zoom >= 1, received {} and zoom {}",
                            to_string(rows.shape()), options.zoom));
  }
  const Index pixels = rows.size() / count;
  const TileShape shape = tile_shape(pixels, options);
  const std::vector<double> values = rows.values();

  std::vector<Extent> extents;
  Extent common;
  for (Index i = 0; i < count; ++i) {
    extents.push_back(extent(values.data() + i * pixels, pixels));
    common.largest = std::max(common.largest, extents.back().largest);
  }
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), Index{0});
  const auto at = [&](Index i) -> const Extent& { return extents[static_cast<std::size_t>(i)]; };
  if (options.sort_by_norm) {
    std::stable_sort(order.begin(), order.end(),
                     [&](Index a, Index b) { return at(a).squares > at(b).squares; });
  }
  if (options.limit > 0 && options.limit < count) {
    order.resize(static_cast<std::size_t>(options.limit));
  }

  const auto shown = static_cast<Index>(order.size());
  const double square =
      std::sqrt(static_cast<double>(shown * shape.height) / static_cast<double>(shape.width));
  const Index columns =
      std::min(shown, options.columns > 0 ? options.columns
                                          : std::max(Index{1}, static_cast<Index>(std::ceil(square))));
  const Index inside = options.least_width - 1 - columns, a_row = columns * shape.width;
  const Index zoom = std::max<Index>(options.zoom, inside > 0 ? (inside + a_row - 1) / a_row : 1);
  const Index step_x = shape.width * zoom + 1, step_y = shape.height * zoom + 1;
  const Index width = columns * step_x + 1, height = (shown + columns - 1) / columns * step_y + 1;
  Picture picture{static_cast<int>(width), static_cast<int>(height), 1, {}};
  picture.pixels.assign(static_cast<std::size_t>(width * height),
                        options.is_signed ? kSignedBorder : kBorder);
  for (Index i = 0; i < shown; ++i) {
    const Index source = order[static_cast<std::size_t>(i)];
    const double largest = options.scale == TileScale::Global ? common.largest : at(source).largest;
    const double* from = values.data() + source * pixels;
    for (Index y = 0; y < shape.height * zoom; ++y) {
      std::uint8_t* to =
          picture.pixels.data() + ((i / columns) * step_y + 1 + y) * width + (i % columns) * step_x + 1;
      for (Index x = 0; x < shape.width * zoom; ++x) {
        to[x] = shade(from[y / zoom * shape.width + x / zoom], options.is_signed, largest);
      }
    }
  }
  return picture;
}

}  // namespace basin

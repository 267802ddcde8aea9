#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "results/pictures/picture.h"
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

/// Rows as pictures of their own size, and how large each is.
struct Shaded {
  std::vector<Picture> pictures;
  std::vector<Extent> extents;
};

Shaded shade_rows(const Tensor& rows, const TileOptions& options) {
  const Index count = rows.defined() && rows.rank() >= 2 ? rows.dim(0) : 0;
  const Index channels = options.channels;
  const bool has_channels = channels == 1 || channels == 3;
  if (count == 0 || rows.size() == 0 || !has_channels || rows.size() / count % channels != 0) {
    throw Error(
        fmt::format("[tile] expected tiles as [count, pixels] of 1 or 3 channels, received {} and {} "
                    "channels",
                    to_string(rows.shape()), channels));
  }
  const Index numbers = rows.size() / count, plane = numbers / channels;
  const TileShape shape = tile_shape(plane, options);
  const std::vector<double> values = rows.values();
  Shaded shaded;
  double common = 0.0;
  for (Index i = 0; i < count; ++i) {
    shaded.extents.push_back(extent(values.data() + i * numbers, numbers));
    common = std::max(common, shaded.extents.back().largest);
  }
  for (Index i = 0; i < count; ++i) {
    const double largest =
        options.scale == TileScale::Global ? common : shaded.extents[static_cast<std::size_t>(i)].largest;
    Picture picture{static_cast<int>(shape.width), static_cast<int>(shape.height), options.channels, {}};
    for (Index p = 0; p < plane; ++p) {
      for (Index c = 0; c < channels; ++c) {
        const double value = values[static_cast<std::size_t>(i * numbers + c * plane + p)];
        picture.pixels.push_back(shade(value, options.is_signed, largest));
      }
    }
    shaded.pictures.push_back(std::move(picture));
  }
  return shaded;
}

}  // namespace

std::vector<Picture> small_pictures(const Tensor& rows, const TileOptions& options) {
  return shade_rows(rows, options).pictures;
}

Picture tile(const Tensor& rows, const TileOptions& options) {
  if (options.zoom < 1 || options.columns < 0 || options.limit < 0) {
    throw Error(fmt::format("[tile] expected zoom >= 1, received {}, with {} columns and a limit of {}",
                            options.zoom, options.columns, options.limit));
  }
  const Shaded tiles = shade_rows(rows, options);
  std::vector<std::size_t> order(tiles.pictures.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (options.sort_by_norm) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return tiles.extents[a].squares > tiles.extents[b].squares;
    });
  }
  if (options.limit > 0) order.resize(std::min(order.size(), static_cast<std::size_t>(options.limit)));

  const Index tile_height = tiles.pictures.front().height, tile_width = tiles.pictures.front().width;
  const Index channels = options.channels, shown = std::ssize(order);
  const double square = std::sqrt(static_cast<double>(shown * tile_height) / static_cast<double>(tile_width));
  const Index columns =
      std::min(shown, options.columns > 0 ? options.columns
                                          : std::max(Index{1}, static_cast<Index>(std::ceil(square))));
  const Index inside = options.least_width - 1 - columns, a_row = columns * tile_width;
  const Index zoom = std::max<Index>(options.zoom, inside > 0 ? (inside + a_row - 1) / a_row : 1);
  const Index step_x = tile_width * zoom + 1, step_y = tile_height * zoom + 1;
  const Index width = columns * step_x + 1, height = (shown + columns - 1) / columns * step_y + 1;
  Picture picture{static_cast<int>(width), static_cast<int>(height), options.channels, {}};
  picture.pixels.assign(static_cast<std::size_t>(width * height * channels),
                        options.is_signed ? kSignedBorder : kBorder);
  for (Index i = 0; i < shown; ++i) {
    const Picture& from = tiles.pictures[order[static_cast<std::size_t>(i)]];
    for (Index y = 0; y < tile_height * zoom; ++y) {
      std::uint8_t* to = picture.pixels.data() +
                         (((i / columns) * step_y + 1 + y) * width + (i % columns) * step_x + 1) * channels;
      for (Index x = 0; x < tile_width * zoom; ++x) {
        std::copy_n(from.pixels.data() + (y / zoom * tile_width + x / zoom) * channels, channels,
                    to + x * channels);
      }
    }
  }
  return picture;
}

}  // namespace basin

#include "data/generators/leaves.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "data/draws.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// A half-plane nx x + ny y <= reach, in pixels from the leaf's centre.
struct Side {
  float nx, ny, reach;
};

struct Leaf {
  float x, y, radius, grey;
  int corners = 0;  // 0: a disc
  std::array<Side, 6> sides{};

  /// Distance from the border, negative inside. Beyond a polygon's corner it is a little short, on a fraction
  /// of a pixel.
  float distance(float px, float py) const {
    const float dx = px - x, dy = py - y;
    if (corners == 0) return std::sqrt(dx * dx + dy * dy) - radius;
    float farthest = -radius;
    for (int k = 0; k < corners; ++k) {
      const Side& side = sides[static_cast<std::size_t>(k)];
      farthest = std::max(farthest, side.nx * dx + side.ny * dy - side.reach);
    }
    return farthest;
  }
};

/// The radius below which a share u of all radii lies: p(r) ~ r^-3 between r0 and r1 has P(r) = (r0^-2 -
/// r^-2) / (r0^-2 - r1^-2).
float radius_at(float u, float least, float largest) {
  const float a = 1.0f / (least * least), b = 1.0f / (largest * largest);
  return 1.0f / std::sqrt(a - u * (a - b));
}

/// Between corners at angles a < b of a circle runs the line at distance r cos((b - a) / 2), perpendicular to
/// (a + b) / 2.
void add_sides(Leaf& leaf, Draws& draws) {
  constexpr float kTurn = 2.0f * std::numbers::pi_v<float>;
  std::array<float, 7> angles{};
  const auto corners = static_cast<std::size_t>(leaf.corners);
  const float step = kTurn / static_cast<float>(corners), first = draws.uniform(0.0f, kTurn);
  for (std::size_t k = 0; k < corners; ++k)
    angles[k] = first + step * (static_cast<float>(k) + draws.uniform(-0.25f, 0.25f));
  angles[corners] = angles[0] + kTurn;
  for (std::size_t k = 0; k < corners; ++k) {
    const float middle = 0.5f * (angles[k] + angles[k + 1]), half = 0.5f * (angles[k + 1] - angles[k]);
    leaf.sides[k] = {std::cos(middle), std::sin(middle), leaf.radius * std::cos(half)};
  }
}

Leaf draw_leaf(Draws& draws, const LeavesOptions& options) {
  const auto side = static_cast<float>(options.side), largest = static_cast<float>(options.largest_radius);
  Leaf leaf{};
  leaf.x = draws.uniform(-largest, side + largest);
  leaf.y = draws.uniform(-largest, side + largest);
  leaf.radius = radius_at(draws.uniform(0.0f, 1.0f), static_cast<float>(options.least_radius), largest);
  leaf.grey = draws.uniform(0.0f, 1.0f);
  if (draws.uniform(0.0f, 1.0f) < static_cast<float>(options.polygons)) {
    leaf.corners = 3 + static_cast<int>(draws.below(4));
    add_sides(leaf, draws);
  }
  return leaf;
}

/// Lays leaves from the front: each fills what those before it have left open.
void draw_image(Draws draws, const LeavesOptions& options, float* image) {
  constexpr float kClosed = 1.0f / 256.0f;
  const Index side = options.side;
  std::vector<float> open(static_cast<std::size_t>(side * side), 1.0f);
  std::fill_n(image, side * side, 0.0f);
  for (Index left = side * side; left > 0;) {
    const Leaf leaf = draw_leaf(draws, options);
    const float reach = leaf.radius + 0.5f;
    const auto first = [&](float centre) {
      return std::max<Index>(0, static_cast<Index>(std::ceil(centre - reach)));
    };
    const auto last = [&](float centre) {
      return std::min<Index>(side - 1, static_cast<Index>(std::floor(centre + reach)));
    };
    for (Index y = first(leaf.y); y <= last(leaf.y); ++y) {
      for (Index x = first(leaf.x); x <= last(leaf.x); ++x) {
        float& gap = open[static_cast<std::size_t>(y * side + x)];
        if (gap <= kClosed) continue;
        const float cover =
            std::clamp(0.5f - leaf.distance(static_cast<float>(x), static_cast<float>(y)), 0.0f, 1.0f);
        image[y * side + x] += gap * cover * leaf.grey;
        gap *= 1.0f - cover;
        left -= gap <= kClosed ? 1 : 0;
      }
    }
  }
  for (Index p = 0; p < side * side; ++p) image[p] /= 1.0f - open[static_cast<std::size_t>(p)];
}

}  // namespace

ImageStack leaves(Key key, Index first, Index count, const LeavesOptions& options) {
  const bool fits = first >= 0 && count >= 0 && options.side >= 1 && options.side <= 4096 &&
                    options.least_radius >= 0.5 && options.least_radius < options.largest_radius &&
                    options.largest_radius <= 1024 && options.polygons >= 0.0 && options.polygons <= 1.0;
  if (!fits) {
    throw Error(fmt::format(
        "[leaves] expected a range >= 0, a side of 1 to 4096, 0.5 <= least_radius < largest_radius <= 1024 "
        "and polygons between 0 and 1, received {} from {}, {}, {}, {}, {}",
        count, first, options.side, options.least_radius, options.largest_radius, options.polygons));
  }
  ImageStack images;
  for (Index n = 0; n < count; ++n)
    images.push_back({fmt::format("leaves, image {}", first + n), Tensor({options.side, options.side})});
#pragma omp parallel for schedule(dynamic)
  for (Index n = 0; n < count; ++n) {
    draw_image(Draws(key.fold(static_cast<std::uint64_t>(first + n))), options,
               images[static_cast<std::size_t>(n)].pixels.host<float>());
  }
  return images;
}

}  // namespace basin

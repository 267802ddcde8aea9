#include "data/generators/convex.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <numbers>

#include "data/draws.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr int kSide = 28;

/// Pixel x of row y is bit x of number y.
using Region = std::array<std::uint32_t, kSide>;

int pixels(const Region& region) {
  int count = 0;
  for (const std::uint32_t row : region) count += std::popcount(row);
  return count;
}

/// The half-plane on one side of a random line: in every row, what is right of a place or left of it.
void cut(Draws& draws, Region& region) {
  const float angle = draws.uniform(0.0f, 2.0f * std::numbers::pi_v<float>);
  const float cosine = std::cos(angle), slope = std::sin(angle) / cosine;
  const float x0 = draws.uniform(-0.5f, kSide - 0.5f), y0 = draws.uniform(-0.5f, kSide - 0.5f);
  for (int y = 0; y < kSide; ++y) {
    const float edge = x0 - slope * (static_cast<float>(y) - y0);
    const auto left_of = static_cast<std::uint32_t>(std::ceil(std::clamp<float>(edge, 0, kSide)));  // pixels
    const std::uint32_t left = (std::uint32_t{1} << left_of) - 1;
    region[static_cast<std::size_t>(y)] &= cosine > 0.0f ? ~left : left;
  }
}

/// An intersection of half-planes, as many as a chance fails before it comes true.
Region intersection(Draws& draws, float chance, int least) {
  Region region;
  do {
    region.fill((std::uint32_t{1} << kSide) - 1);
    while (draws.uniform(0.0f, 1.0f) >= chance) cut(draws, region);
  } while (pixels(region) < least);
  return region;
}

struct Point {
  int x, y;
};

/// The pixels that are outermost in their row or column.
std::vector<Point> outermost(const Region& region) {
  Region ends{}, columns{};
  for (std::size_t y = 0; y < ends.size(); ++y) {
    const std::uint32_t row = region[y];
    if (row == 0) continue;
    ends[y] |= std::bit_floor(row) | (row & (~row + 1));
    for (std::size_t x = 0; x < columns.size(); ++x) columns[x] |= (row >> x & 1) << y;
  }
  for (std::size_t x = 0; x < columns.size(); ++x) {
    if (columns[x] == 0) continue;
    ends[static_cast<std::size_t>(std::countr_zero(columns[x]))] |= std::uint32_t{1} << x;
    ends[static_cast<std::size_t>(std::bit_width(columns[x]) - 1)] |= std::uint32_t{1} << x;
  }
  std::vector<Point> points;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      if ((ends[static_cast<std::size_t>(y)] >> x & 1) != 0) points.push_back({x, y});
    }
  }
  return points;
}

/// Whether the region holds the pixels nearest to the straight line between two points, a half rounded up.
bool holds_line(const Region& region, Point from, Point to) {
  const int dx = to.x - from.x, dy = to.y - from.y, steps = std::max(std::abs(dx), std::abs(dy));
  // A coordinate plus a half is whole + rest / (2 steps).
  const auto advance = [steps](int difference, int& whole, int& rest) {
    rest += 2 * difference;
    if (rest >= 2 * steps) rest -= 2 * steps, ++whole;
    if (rest < 0) rest += 2 * steps, --whole;
  };
  int x = from.x, y = from.y, x_rest = steps, y_rest = steps;
  for (int k = 1; k < steps; ++k) {
    advance(dx, x, x_rest);
    advance(dy, y, y_rest);
    if ((region[static_cast<std::size_t>(y)] >> x & 1) == 0) return false;
  }
  return true;
}

/// Lines between all pixels leave the region where lines between its outermost ones do.
bool holds_lines(const Region& region) {
  if (pixels(region) == kSide * kSide) return true;  // most of the unions that do
  const std::vector<Point> points = outermost(region);
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      if (!holds_line(region, points[i], points[j])) return false;
    }
  }
  return true;
}

Region draw(bool is_convex, Draws& draws) {
  if (is_convex) return intersection(draws, 0.195f, 19);
  Region region;
  do {
    region.fill(0);
    const std::uint32_t parts = 2 + draws.below(3);
    for (std::uint32_t part = 0; part < parts; ++part) {
      const Region own = intersection(draws, 0.07f, 10);
      std::ranges::transform(region, own, region.begin(), std::bit_or());
    }
  } while (holds_lines(region));
  return region;
}

}  // namespace

Samples convex(Key key, Index count) {
  if (count < 0) throw Error(fmt::format("[convex] expected a count >= 0, received {}", count));
  std::vector<std::uint8_t> values(static_cast<std::size_t>(element_count({count, kSide, kSide})));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < count; ++i) {
    Draws draws(key.fold(static_cast<std::uint64_t>(i)));
    const bool is_convex = i % 2 == 1;
    const Region region = draw(is_convex, draws);
    std::uint8_t* image = values.data() + i * kSide * kSide;
    for (const std::uint32_t row : region) {
      for (int x = 0; x < kSide; ++x) *image++ = (row >> x & 1) != 0 ? 255 : 0;
    }
    labels[static_cast<std::size_t>(i)] = is_convex ? 1 : 0;
  }
  return {byte_column("image", {kSide, kSide}, std::move(values)),
          integer_column("label", {}, std::move(labels), 2)};
}

}  // namespace basin

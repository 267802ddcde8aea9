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

/// The outermost pixels of every row and column.
std::vector<Point> outermost(const Region& region) {
  std::vector<Point> points;
  Region columns{};
  for (int y = 0; y < kSide; ++y) {
    const std::uint32_t row = region[static_cast<std::size_t>(y)];
    if (row == 0) continue;
    points.push_back({std::countr_zero(row), y});
    points.push_back({31 - std::countl_zero(row), y});
    for (std::size_t x = 0; x < columns.size(); ++x) columns[x] |= (row >> x & 1) << y;
  }
  for (int x = 0; x < kSide; ++x) {
    const std::uint32_t column = columns[static_cast<std::size_t>(x)];
    if (column == 0) continue;
    points.push_back({x, std::countr_zero(column)});
    points.push_back({x, 31 - std::countl_zero(column)});
  }
  return points;
}

/// Whether the region holds the pixels nearest to the straight line between two points, a half rounded up.
bool holds_line(const Region& region, Point from, Point to) {
  const int dx = to.x - from.x, dy = to.y - from.y, steps = std::max(std::abs(dx), std::abs(dy));
  const auto rounded = [steps](int whole, int part) {
    return (2 * (whole * steps + part) + steps) / (2 * steps);
  };
  for (int k = 1; k < steps; ++k) {
    const int x = rounded(from.x, dx * k), y = rounded(from.y, dy * k);
    if ((region[static_cast<std::size_t>(y)] >> x & 1) == 0) return false;
  }
  return true;
}

/// Lines between all pixels leave the region where lines between its outermost ones do.
bool holds_lines(const Region& region) {
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

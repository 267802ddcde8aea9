#include "data/generators/convex.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
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

void cut(Draws& draws, Region& region) {
  const float angle = draws.uniform(0.0f, 2.0f * std::numbers::pi_v<float>);
  const float cosine = std::cos(angle), sine = std::sin(angle);
  const float x0 = draws.uniform(-0.5f, kSide - 0.5f), y0 = draws.uniform(-0.5f, kSide - 0.5f);
  for (int y = 0; y < kSide; ++y) {
    std::uint32_t row = 0;
    for (int x = 0; x < kSide; ++x) {
      const bool inside = cosine * (static_cast<float>(x) - x0) + sine * (static_cast<float>(y) - y0) >= 0.0f;
      row |= std::uint32_t{inside} << x;
    }
    region[static_cast<std::size_t>(y)] &= row;
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

/// The pixels whose centres lie in the convex hull of the region's centres: in row y, between the outermost
/// of all lines from one row's end to another's.
int pixels_of_hull(const Region& region) {
  int count = 0;
  for (int y = 0; y < kSide; ++y) {
    int left = kSide, right = -1;
    for (int a = 0; a <= y; ++a) {
      for (int b = y; b < kSide; ++b) {
        const std::uint32_t above = region[static_cast<std::size_t>(a)],
                            below = region[static_cast<std::size_t>(b)];
        if (above == 0 || below == 0) continue;
        const int apart = std::max(1, b - a), to_a = a == b ? 1 : b - y, to_b = y - a;
        const int lefts = std::countr_zero(above) * to_a + std::countr_zero(below) * to_b;
        const int rights = (31 - std::countl_zero(above)) * to_a + (31 - std::countl_zero(below)) * to_b;
        left = std::min(left, (lefts + apart - 1) / apart);
        right = std::max(right, rights / apart);
      }
    }
    count += std::max(0, right - left + 1);
  }
  return count;
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
  } while (pixels_of_hull(region) == pixels(region));
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

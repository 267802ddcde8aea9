#include "data/generators/strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "data/draws.h"
#include "data/generators/strokes.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr int kSide = 28;   // of a digit of strokes
constexpr int kMargin = 1;  // before the first character and behind the last
constexpr std::int32_t kNone = 10;

/// Ink in [0, 255] of one character, row by row.
struct Glyph {
  int width = 0, height = 0;
  std::vector<float> ink;
};

/// Rows and columns [first, last] that hold ink.
struct Bounds {
  int left = kSide, right = -1, top = kSide, bottom = -1;
};

Bounds bounds_of(std::span<const std::uint8_t> pixels) {
  constexpr std::uint8_t kInk = 32;
  Bounds found;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      if (pixels[static_cast<std::size_t>(y * kSide + x)] < kInk) continue;
      found.left = std::min(found.left, x);
      found.right = std::max(found.right, x);
      found.top = std::min(found.top, y);
      found.bottom = std::max(found.bottom, y);
    }
  }
  return found;
}

/// Mean ink of a part of the picture, in pixels and their fractions.
float mean_ink(std::span<const std::uint8_t> pixels, float left, float right, float top, float bottom) {
  float total = 0.0f;
  for (int y = static_cast<int>(top); y < std::min(kSide, static_cast<int>(std::ceil(bottom))); ++y) {
    const float high = std::min(bottom, static_cast<float>(y + 1)) - std::max(top, static_cast<float>(y));
    for (int x = static_cast<int>(left); x < std::min(kSide, static_cast<int>(std::ceil(right))); ++x) {
      const float wide = std::min(right, static_cast<float>(x + 1)) - std::max(left, static_cast<float>(x));
      total += high * wide * static_cast<float>(pixels[static_cast<std::size_t>(y * kSide + x)]);
    }
  }
  return total / ((right - left) * (bottom - top));
}

/// A digit of strokes, cut out and scaled.
Glyph glyph(std::int32_t digit, Key key, Draws& draws) {
  const Samples drawn = strokes(key, digit, 1);
  const std::span<const std::uint8_t> pixels = drawn.pixels();
  const Bounds from = bounds_of(pixels);
  const auto wide = static_cast<float>(from.right - from.left + 1),
             high = static_cast<float>(from.bottom - from.top + 1);
  Glyph made;
  made.height = 13 + static_cast<int>(draws.below(4));
  const float own = wide / high * static_cast<float>(made.height) * draws.uniform(0.7f, 1.1f);
  made.width = std::clamp(static_cast<int>(own + 0.5f), 5, static_cast<int>(kWidestCharacter));
  // What is narrower than that stands in the middle of its width.
  const float shown = std::max(
                  wide, high / static_cast<float>(made.height) * static_cast<float>(made.width) * 0.5f),
              middle = static_cast<float>(from.left) + 0.5f * wide;
  const float left = std::clamp(middle - 0.5f * shown, 0.0f, static_cast<float>(kSide) - shown),
              dx = shown / static_cast<float>(made.width), dy = high / static_cast<float>(made.height);
  for (int y = 0; y < made.height; ++y) {
    const float top = static_cast<float>(from.top) + dy * static_cast<float>(y);
    for (int x = 0; x < made.width; ++x) {
      const float at = left + dx * static_cast<float>(x);
      made.ink.push_back(mean_ink(pixels, at, at + dx, top, top + dy));
    }
  }
  return made;
}

/// The rows of one sample's columns.
struct Row {
  std::span<std::uint8_t> image;
  std::span<std::int32_t> label, cuts;
  std::int32_t *length, *characters;
};

void write(Key key, Index width, const Row& row) {
  Draws draws(key);
  const auto count = static_cast<int>(2 + draws.below(static_cast<std::uint32_t>(row.label.size() - 1)));
  int edge = kMargin, before = 0;  // where the last character ends, and its width
  for (int i = 0; i < count; ++i) {
    const auto n = static_cast<std::size_t>(i);
    row.label[n] = static_cast<std::int32_t>(draws.below(kNone));
    const Glyph own = glyph(row.label[n], key.fold(static_cast<std::uint64_t>(i)), draws);
    const int overlap = static_cast<int>(draws.below(5)) - 1;  // -1: a gap
    const int shared = i == 0 ? 0 : std::min(overlap, std::min(before, own.width) / 4);
    const int begin = edge - shared;
    if (i > 0) row.cuts[n - 1] = (edge + begin + 1) / 2;
    const int top = (static_cast<int>(kStringHeight) - own.height) / 2 + static_cast<int>(draws.below(5)) - 2;
    for (int y = 0; y < own.height; ++y) {
      if (top + y < 0 || top + y >= kStringHeight) continue;
      for (int x = 0; x < own.width; ++x) {
        std::uint8_t& pixel = row.image[static_cast<std::size_t>((top + y) * width + begin + x)];
        const float ink = own.ink[static_cast<std::size_t>(y * own.width + x)];
        pixel = std::max(pixel, static_cast<std::uint8_t>(std::min(ink + 0.5f, 255.0f)));
      }
    }
    edge = begin + own.width;
    before = own.width;
  }
  *row.length = row.cuts[static_cast<std::size_t>(count - 1)] = edge + kMargin;
  *row.characters = count;
  for (std::size_t n = static_cast<std::size_t>(count); n < row.label.size(); ++n) row.label[n] = kNone;
}

}  // namespace

Index string_width(Index longest) {
  const Index most = 2 * kMargin + longest * kWidestCharacter + longest - 1;  // gaps of 1
  return (most + 3) / 4 * 4;
}

Samples strings(Key key, Index count, Index longest) {
  if (count < 0) throw Error(fmt::format("[strings] expected a count >= 0, received {}", count));
  if (longest < 2 || longest > 16)
    throw Error(
        fmt::format("[strings] expected strings of at most 2 to 16 characters, received {}", longest));
  const Index width = string_width(longest), pixels = kStringHeight * width;
  std::vector<std::uint8_t> images(static_cast<std::size_t>(element_count({count, pixels})), 0);
  const auto size = static_cast<std::size_t>(count), each = static_cast<std::size_t>(longest);
  std::vector<std::int32_t> labels(size * each), cuts(size * each, 0), lengths(size), characters(size);
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < count; ++i) {
    const auto n = static_cast<std::size_t>(i);
    write(key.fold(static_cast<std::uint64_t>(i)), width,
          {.image = std::span(images).subspan(n * static_cast<std::size_t>(pixels),
                                              static_cast<std::size_t>(pixels)),
           .label = std::span(labels).subspan(n * each, each),
           .cuts = std::span(cuts).subspan(n * each, each),
           .length = &lengths[n],
           .characters = &characters[n]});
  }
  return {byte_column("image", {1, kStringHeight, width}, std::move(images)),
          integer_column("label", {longest}, std::move(labels), kNone + 1),
          integer_column("lengths", {}, std::move(lengths)),
          integer_column("characters", {}, std::move(characters)),
          integer_column("cuts", {longest}, std::move(cuts))};
}

}  // namespace basin

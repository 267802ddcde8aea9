#include "data/generators/strokes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "data/draws.h"
#include "data/generators/stroke_skeletons.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr int kSide = 28;
constexpr int kClasses = 10;

struct Point {
  float x, y;
};
using Polyline = std::vector<Point>;

/// How one sample differs from its skeleton.
class Hand {
 public:
  explicit Hand(Draws& draws) {
    for (Wave& wave : waves_) {
      wave = {.amplitude_x = draws.bell(0.035f),
              .amplitude_y = draws.bell(0.035f),
              .frequency_x = draws.uniform(-kLongestWaves, kLongestWaves),
              .frequency_y = draws.uniform(-kLongestWaves, kLongestWaves),
              .phase = draws.uniform(0.0f, 2.0f * std::numbers::pi_v<float>)};
    }
    const float width = 19.0f * (1.0f + draws.bell(0.12f)),
                height = 19.0f * (1.0f + draws.bell(0.07f));  // pixels of a unit
    const float slant = 0.12f + draws.bell(0.25f), angle = draws.bell(0.1f);
    const float cosine = std::cos(angle), sine = std::sin(angle);
    matrix_ = {cosine * width, -cosine * slant * height - sine * height, sine * width,
               cosine * height - sine * slant * height};
    centre_ = {0.5f * (kSide - 1) + draws.bell(0.9f), 0.5f * (kSide - 1) + draws.bell(0.9f)};
    pen_ = draws.uniform(0.75f, 1.7f);
  }

  /// From skeleton to pixel coordinates.
  Point place(Point p) const {
    constexpr Point kMiddle{0.35f, 0.5f};
    Point q{p.x - kMiddle.x, p.y - kMiddle.y};
    for (const Wave& wave : waves_) {
      const float height = std::sin(wave.frequency_x * p.x + wave.frequency_y * p.y + wave.phase);
      q.x += wave.amplitude_x * height;
      q.y += wave.amplitude_y * height;
    }
    return {centre_.x + matrix_[0] * q.x + matrix_[1] * q.y, centre_.y + matrix_[2] * q.x + matrix_[3] * q.y};
  }
  /// Half the width of its line, in pixels.
  float pen() const { return pen_; }

 private:
  static constexpr float kLongestWaves = 7.0f;  // radians per unit: a little more than one wave over a digit
  struct Wave {
    float amplitude_x, amplitude_y, frequency_x, frequency_y, phase;
  };
  std::array<Wave, 3> waves_;
  std::array<float, 4> matrix_;
  Point centre_;
  float pen_;
};

/// The curve between b and c with neighbours a and d (Catmull and Rom 1974), at t in [0, 1].
Point curve(Point a, Point b, Point c, Point d, float t) {
  const auto blend = [t](float p, float q, float r, float s) {
    return q + 0.5f * t * (r - p + t * (2.0f * p - 5.0f * q + 4.0f * r - s + t * (3.0f * (q - r) + s - p)));
  };
  return {blend(a.x, b.x, c.x, d.x), blend(a.y, b.y, c.y, d.y)};
}

/// The stroke as straight pieces in pixel coordinates.
void trace(const SkeletonStroke& stroke, const Hand& hand, Draws& draws, Polyline& line) {
  constexpr int kPieces = 5;
  constexpr float kJitter = 0.022f;
  std::array<Point, 16> points;
  const std::size_t count = std::min(stroke.size(), points.size());
  for (std::size_t i = 0; i < count; ++i)
    points[i] = {stroke[i].x + draws.bell(kJitter), stroke[i].y + draws.bell(kJitter)};
  const auto mirrored = [](Point p, Point centre) {
    return Point{2.0f * centre.x - p.x, 2.0f * centre.y - p.y};
  };
  line.assign(1, hand.place(points[0]));
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const Point b = points[i], c = points[i + 1];
    const Point a = i == 0 || stroke[i].corner ? mirrored(c, b)
                                               : points[i - 1];  // no neighbour beyond an end or a corner
    const Point d = i + 2 == count || stroke[i + 1].corner ? mirrored(b, c) : points[i + 2];
    for (int piece = 1; piece <= kPieces; ++piece)
      line.push_back(hand.place(curve(a, b, c, d, static_cast<float>(piece) / kPieces)));
  }
}

/// Lowers `distance` (squared, pixels) to that from the line, as far as the pen reaches.
void approach(const Polyline& line, float reach, std::array<float, kSide * kSide>& distance) {
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const Point a = line[i], b = line[i + 1];
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float scale = 1.0f / std::max(dx * dx + dy * dy, 1e-12f);
    const auto first = [&](float p, float q) {
      return std::max(0, static_cast<int>(std::ceil(std::min(p, q) - reach)));
    };
    const auto last = [&](float p, float q) {
      return std::min(kSide - 1, static_cast<int>(std::floor(std::max(p, q) + reach)));
    };
    const int left = first(a.x, b.x), right = last(a.x, b.x), bottom = last(a.y, b.y);
    for (int y = first(a.y, b.y); y <= bottom; ++y) {
      for (int x = left; x <= right; ++x) {
        const float px = static_cast<float>(x) - a.x, py = static_cast<float>(y) - a.y;
        const float along = std::clamp((px * dx + py * dy) * scale, 0.0f, 1.0f);
        const float ex = px - along * dx, ey = py - along * dy;
        float& nearest = distance[static_cast<std::size_t>(y * kSide + x)];
        nearest = std::min(nearest, ex * ex + ey * ey);
      }
    }
  }
}

void draw_digit(int digit, Draws draws, Polyline& line, std::uint8_t* pixels) {
  const auto skeletons = digit_skeletons(digit);
  const Skeleton& skeleton = skeletons[draws.below(static_cast<std::uint32_t>(skeletons.size()))];
  const Hand hand(draws);
  const float reach = hand.pen() + 0.5f;
  std::array<float, kSide * kSide> distance;
  distance.fill(reach * reach);
  for (const SkeletonStroke& stroke : skeleton) {
    trace(stroke, hand, draws, line);
    approach(line, reach, distance);
  }
  for (std::size_t p = 0; p < distance.size(); ++p) {
    const float ink = std::clamp(reach - std::sqrt(distance[p]), 0.0f, 1.0f);
    pixels[p] = static_cast<std::uint8_t>(255.0f * ink + 0.5f);
  }
}

}  // namespace

Samples strokes(Key key, Index first, Index count) {
  if (first < 0 || count < 0)
    throw Error(fmt::format("[strokes] expected a range of samples >= 0, received {} from {}", count, first));
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(element_count({count, kSide, kSide})));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
#pragma omp parallel if (count > 64)
  {
    Polyline line;
#pragma omp for schedule(static)
    for (Index n = 0; n < count; ++n) {
      const int label = static_cast<int>((first + n) % kClasses);
      labels[static_cast<std::size_t>(n)] = label;
      draw_digit(label, Draws(key.fold(static_cast<std::uint64_t>(first + n))), line,
                 pixels.data() + n * kSide * kSide);
    }
  }
  return {byte_column("image", {kSide, kSide}, std::move(pixels)),
          integer_column("label", {}, std::move(labels), kClasses)};
}

}  // namespace basin

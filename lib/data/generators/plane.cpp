#include "data/generators/plane.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>

#include "data/draws.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Point = std::array<float, 2>;

template <class Make>
Samples points(const char* who, Key key, Index count, Make make) {
  if (count < 0) throw Error(fmt::format("[{}] expected a count >= 0, received {}", who, count));
  const Tensor all({count, 2});
  for (Index i = 0; i < count; ++i) {
    Draws draws(key.fold(static_cast<std::uint64_t>(i)));
    const Point made = make(draws);
    std::copy(made.begin(), made.end(), all.host<float>() + 2 * i);
  }
  return {real_column("point", all)};
}

constexpr float kTurn = 2.0f * std::numbers::pi_v<float>;

}  // namespace

Samples spiral(Key key, Index count) {
  constexpr float kTurns = 1.5f, kRadius = 2.0f, kOff = 0.08f;
  return points("spiral", key, count, [](Draws& draws) -> Point {
    const float along = std::sqrt(draws.uniform(0.0f, 1.0f)), angle = along * kTurns * kTurn;
    const float x = draws.bell(kOff), y = draws.bell(kOff);
    return {kRadius * along * std::cos(angle) + x, kRadius * along * std::sin(angle) + y};
  });
}

Samples gaussian_mixture(Key key, Index count) {
  constexpr std::uint32_t kComponents = 8;
  constexpr float kRadius = 1.6f, kDeviation = 0.2f;
  return points("mixture", key, count, [](Draws& draws) -> Point {
    const float angle = kTurn * static_cast<float>(draws.below(kComponents)) / kComponents;
    const float x = draws.bell(kDeviation), y = draws.bell(kDeviation);
    return {kRadius * std::cos(angle) + x, kRadius * std::sin(angle) + y};
  });
}

Samples pinwheel(Key key, Index count) {
  constexpr std::uint32_t kBlades = 5;
  constexpr float kAlong = 0.3f, kAcross = 0.07f, kBend = 0.25f, kScale = 1.4f;
  return points("pinwheel", key, count, [](Draws& draws) -> Point {
    const auto blade = static_cast<float>(draws.below(kBlades));
    const float out = 1.0f + draws.bell(kAlong), off = draws.bell(kAcross);
    const float angle = kTurn * blade / kBlades + kBend * std::exp(out);
    return {kScale * (out * std::cos(angle) - off * std::sin(angle)),
            kScale * (out * std::sin(angle) + off * std::cos(angle))};
  });
}

}  // namespace basin

#include "training/optimizers/conjugate_gradient.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tensor/backend.h"
#include "tensor/error.h"
#include "training/optimizers/flat_loss.h"

namespace basin {

ConjugateGradient::ConjugateGradient(ConjugateGradientOptions options)
    : Optimizer("conjugate_gradient", options.rates), options_(std::move(options)) {
  if (options_.iterations < 1 || !(options_.tolerance >= 0.0) || !(options_.weight_decay >= 0.0)) {
    throw Error(
        fmt::format("[conjugate_gradient] expected iterations >= 1 and tolerance, weight_decay >= 0, "
                    "received {}, {} and {}",
                    options_.iterations, options_.tolerance, options_.weight_decay));
  }
}

void ConjugateGradient::update(const std::vector<Moving>& moving, const Position& /*position*/,
                               const Lookout& lookout) {
  // Directions stay conjugate only where line searches are closer than those of quasi-Newton steps.
  constexpr WolfeOptions kClose{.curvature = 0.4};
  FlatLoss loss(name(), moving, lookout, options_.weight_decay, scratch_);
  if (loss.size() == 0) return;
  const Tensor &x = loss.vector("x"), &g = loss.vector("gradient"), &direction = loss.vector("direction"),
               &old = loss.vector("old gradient");
  const auto axpby = [&](double alpha, const Tensor& a, double beta) {
    backend(a.device()).axpby(a.dtype(), alpha, a.data(), beta, direction.data(), a.size());
  };

  double value = loss.begin(x, g), square = inner(g, g, scratch_);
  double turned = 0.0, fall = 0.0;  // of the last move: how much of it the next direction holds, f' - f
  for (Index iteration = 0; iteration < options_.iterations; ++iteration) {
    if (!(std::sqrt(square) > options_.tolerance)) break;
    axpby(-1.0, g, turned);
    double slope = turned == 0.0 ? -square : inner(g, direction, scratch_);
    if (!(slope < 0.0)) {
      axpby(-1.0, g, turned = 0.0);
      slope = -square;
    }
    // The last move's fall, if this one falls as much: f(x + t d) ~ f - t |slope| / 2 at its minimum.
    const double guess =
        fall < 0.0 ? std::min(1.0, 2.02 * fall / slope) : std::min(1.0, 1.0 / std::sqrt(square));
    old.copy_from(g);
    const LinePoint found = loss.search({0.0, value, slope}, guess, kClose, x, direction, g);
    if (found.step == 0.0) {
      if (std::exchange(turned, 0.0) == 0.0) break;  // not even along the gradient
      fall = 0.0;
      continue;
    }
    fall = found.value - value;
    value = found.value;
    const double along = inner(g, old, scratch_), before = std::exchange(square, inner(g, g, scratch_));
    turned = std::max(0.0, (square - along) / before);
  }
}

}  // namespace basin

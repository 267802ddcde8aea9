#pragma once

#include <utility>

#include "tensor/key.h"
#include "training/optimizers/optimizer.h"

namespace basin {

struct DiagonalNewtonOptions {
  Schedule learning_rate = 0.01;
  double damping = 0.1;    // mu: no number moves more than rate / mu times its gradient
  double keep = 0.95;      // of the mean of curvatures
  Index every = 10;        // steps between two looks at the curvature
  double distance = 1e-2;  // of the points where gradients are taken for it, in each number
  Key key = Key(0);        // of the probes
  Rates rates = {};        // factors of the learning rate
  Restraints restraints = {};
};

/// Steps divided by curvatures, stochastic diagonal Levenberg-Marquardt:
///   p <- p - rate * g / (|h| + damping)
///   h, each `every` steps: a mean, weighted by keep, of v (g(p + e v) - g(p - e v)) / (2 e)
/// with v of signs +-1 drawn anew each time and g gradients of the batch at hand under its own draws: each
/// look is the diagonal of the Hessian and, of mean 0, what the signs leave of the rest (Hutchinson's
/// estimate), for any objective that says its gradient. Of a network that is linear in pieces (relu, max
/// pooling) under a convex loss, weights that no two layers share have there the diagonal of Gauss and Newton
/// which LeCun et al. propagate; elsewhere it may be negative, and its size counts.
/// State: "curvature.<parameter>" and its square "square.<parameter>", "count" [1] of steps. Throws Error
/// "[diagonal_newton] ..." for options out of range.
/// References: LeCun, Bottou, Orr, Mueller 1998, "Efficient BackProp", section 9.1; Bekas, Kokiopoulou, Saad
/// 2007, "An estimator for the diagonal of a matrix".
class DiagonalNewton final : public Optimizer {
 public:
  explicit DiagonalNewton(DiagonalNewtonOptions options = {});

  bool looks_out() const override { return true; }

 protected:
  void update(const std::vector<Moving>& moving, const Position& position, const Lookout& lookout) override;
  void move(const Parameter& parameter, const Gradient& gradient, double factor) override;

 private:
  /// One look; `number` of it, from 0.
  void look(const std::vector<Moving>& moving, const Lookout& lookout, Index number);

  DiagonalNewtonOptions options_;
  double rate_ = 0.0;  // of this update
};

}  // namespace basin

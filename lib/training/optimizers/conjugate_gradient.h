#pragma once

#include "training/optimizers/optimizer.h"

namespace basin {

struct ConjugateGradientOptions {
  Index iterations = 20;      // of one step, on its batch
  double tolerance = 1e-7;    // norm of the gradient at which a step ends early
  double weight_decay = 0.0;  // weight_decay/2 |p|^2 of matrices, added to the loss
  Rates rates = {};           // 0 or 1
};

/// Nonlinear conjugate gradients with strong Wolfe line searches, for large batches of a loss that is a
/// function of batch and key alone: d <- -g' + max(0, g'.(g' - g) / g.g) d (Polak, Ribiere, Powell). Each
/// step makes `iterations` moves on its batch, from -g on; nothing is kept between steps.
/// Throws Error "[conjugate_gradient] ..." for rates other than 0 and 1.
/// Reference: Nocedal and Wright 2006, "Numerical optimization", algorithm 5.4 with (5.45).
class ConjugateGradient final : public Optimizer {
 public:
  explicit ConjugateGradient(ConjugateGradientOptions options = {});

  bool looks_out() const override { return true; }

 protected:
  void update(const std::vector<Moving>& moving, const Position& position, const Lookout& lookout) override;

 private:
  ConjugateGradientOptions options_;
};

}  // namespace basin

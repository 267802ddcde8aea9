#pragma once

#include <utility>

#include "training/optimizers/optimizer.h"

namespace basin {

struct LbfgsOptions {
  Index iterations = 20;      // of one step, on its batch
  Index history = 10;         // pairs kept
  double tolerance = 1e-7;    // norm of the gradient at which a step ends early
  double weight_decay = 0.0;  // weight_decay/2 |p|^2 of matrices, added to the loss
  Rates rates = {};           // 0 or 1
};

/// Limited-memory BFGS with strong Wolfe line searches, for large batches (best: all samples in one) of a
/// loss that is a function of batch and key alone. Each step makes `iterations` moves x + t d, d = -H g, on
/// its batch; H follows from the last pairs s = x' - x, y = g' - g by the two-loop recursion, from
/// (s.y / y.y) I. Pairs are kept from step to step; none spans two batches.
/// Throws Error "[lbfgs] ..." for rates other than 0 and 1.
/// State: "steps" and "changes" [history, n] of all that moves, "count" [1].
/// Reference: Nocedal and Wright 2006, "Numerical optimization", algorithms 7.4 and 7.5.
class Lbfgs final : public Optimizer {
 public:
  explicit Lbfgs(LbfgsOptions options = {});

  bool looks_out() const override { return true; }

 protected:
  void update(const std::vector<Moving>& moving, const Position& position, const Lookout& lookout) override;

 private:
  /// gradient -> direction, of the pairs begin .. end - 1.
  void turn(const Tensor& direction, Index begin, Index end);

  LbfgsOptions options_;
};

}  // namespace basin

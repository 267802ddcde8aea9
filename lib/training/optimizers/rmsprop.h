#pragma once

#include <utility>

#include "training/optimizers/optimizer.h"

namespace basin {

struct RmsPropOptions {
  Schedule learning_rate = 0.01;
  double keep = 0.99;  // of the mean of squares
  double epsilon = 1e-8;
  Rates rates = {};  // factors of the learning rate
  Restraints restraints = {};
};

/// RMSProp, in one pass a parameter: s <- keep s + (1 - keep) g^2, p <- p - rate * g / (sqrt(s) + epsilon).
/// State: "square.<parameter>". Throws Error unless 0 <= keep < 1. Reference: Tieleman, Hinton 2012, lecture
/// 6.5 of "Neural networks for machine learning".
class RmsProp final : public Optimizer {
 public:
  explicit RmsProp(RmsPropOptions options = {});

 protected:
  void begin(const Position& position) override { rate_ = options_.learning_rate(position); }
  void move(const Parameter& parameter, const Gradient& gradient, double factor) override;

 private:
  RmsPropOptions options_;
  double rate_ = 0.0;  // of this update
};

}  // namespace basin

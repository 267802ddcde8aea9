#pragma once

#include <utility>

#include "training/optimizers/optimizer.h"

namespace basin {

struct AdaGradOptions {
  Schedule learning_rate = 0.01;
  double epsilon = 1e-10;
  Rates rates = {};  // factors of the learning rate
  Restraints restraints = {};
};

/// AdaGrad, in one pass a parameter: s <- s + g^2, p <- p - rate * g / (sqrt(s) + epsilon).
/// State: "square.<parameter>". Reference: Duchi, Hazan, Singer 2011, "Adaptive subgradient methods", with
/// diagonal matrices.
class AdaGrad final : public Optimizer {
 public:
  explicit AdaGrad(AdaGradOptions options = {})
      : Optimizer("adagrad", options.rates, options.restraints), options_(std::move(options)) {}

 protected:
  void begin(const Position& position) override { rate_ = options_.learning_rate(position); }
  void move(const Parameter& parameter, const Gradient& gradient, double factor) override;

 private:
  AdaGradOptions options_;
  double rate_ = 0.0;  // of this update
};

}  // namespace basin

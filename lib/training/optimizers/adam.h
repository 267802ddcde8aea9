#pragma once

#include <utility>

#include "training/optimizers/optimizer.h"

namespace basin {

struct AdamOptions {
  Schedule learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;  // decoupled, of matrices: p <- p - rate * weight_decay * p
  Rates rates = {};           // factors of `rate`, in the step and in the decay
  Restraints restraints = {};
};

/// Adam, with a weight decay AdamW, in one pass a parameter: m <- beta1 m + (1-beta1) g,  s <- beta2 s +
/// (1-beta2) g^2, p <- p - rate * (m / (1-beta1^t)) / (sqrt(s / (1-beta2^t)) + epsilon), t the number of this
/// update, from 1. State: "mean.<parameter>", "square.<parameter>", "count" [1]. References: Kingma, Ba 2015;
/// decoupled decay: Loshchilov, Hutter 2019.
class Adam final : public Optimizer {
 public:
  explicit Adam(AdamOptions options = {})
      : Optimizer("adam", options.rates, options.restraints), options_(std::move(options)) {}

 protected:
  void begin(const Position& position) override;
  void move(const Parameter& parameter, const Gradient& gradient, double factor) override;

 private:
  AdamOptions options_;
  double rate_ = 0.0, mean_rate_ = 0.0, square_scale_ = 1.0;  // of this update
};

}  // namespace basin

#pragma once

#include "training/optimizers/optimizer.h"

namespace basin {

struct AdamOptions {
  Schedule learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;  // decoupled: p <- p - rate * weight_decay * p
  bool decay_biases = false;  // matrices only, by default
  Rates rates = {};           // factors of `rate`, in the step and in the decay
};

/// Adam: m <- beta1 m + (1-beta1) g,  s <- beta2 s + (1-beta2) g^2,
/// p <- p - rate * (m / (1-beta1^t)) / (sqrt(s / (1-beta2^t)) + epsilon), t the number of this update, from
/// 1.
/// State: "mean.<parameter>", "square.<parameter>", "count" [1].
/// References: Kingma, Ba 2015; decoupled decay: Loshchilov, Hutter 2019.
class Adam final : public Optimizer {
 public:
  explicit Adam(AdamOptions options = {});

  std::string name() const override { return "adam"; }
  const Rates& rates() const override { return options_.rates; }
  void step(const std::vector<Parameter>& parameters, const std::vector<Gradient>& gradients,
            const Position& position) override;
  NamedTensors state() const override;
  void restore(const NamedTensors& state) override;
  std::unique_ptr<Optimizer> fresh() const override { return std::make_unique<Adam>(options_); }

 private:
  /// Work memory like a parameter, from a buffer that all of them share.
  Tensor room(const Tensor& parameter);

  AdamOptions options_;
  NamedTensors moments_;
  Index count_ = 0;
  Tensor room_, epsilon_;
};

}  // namespace basin

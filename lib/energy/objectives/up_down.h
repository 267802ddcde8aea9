#pragma once

#include <string>
#include <vector>

#include "energy/objectives/held_loss.h"
#include "energy/sample/deep_belief.h"

namespace basin {

struct UpDownOptions {
  Index steps = 1;  // Gibbs sweeps of the top
  Fuse fuse = Fuse::Auto;
};

/// The up-down algorithm, a contrastive form of wake-sleep, for a deep belief net whose recognition weights
/// are untied from those of its generation. With states held,
///   wake   x_1 .. x_n ~ q(. | x_0) of the data x_0; the generation learns from   -log p(x_i | x_{i+1}),
///   top    `steps` sweeps from (x_n, labels) to (y_n, ..); the top learns from  F(x_n, labels) - F(y_n, ..),
///   sleep  y_{n-1} .. y_1 ~ p(. | y_n), y_0 their mean of x_0; the recognition from   -log q(y_{i+1} | y_i);
/// loss = the mean of the sum of all. The first two are the gradient of -E_q[log p(v, x)], the top's by
/// contrastive divergence; the last one lowers a divergence the other way round: the loss is no bound, and no
/// measure of how far training has come. Data x_0 in [0, 1] stand for bits of these means in it.
///
/// Draws: ascend() under key.fold("wake"), sweeps under key.fold("top").fold(i), descend() under
/// key.fold("sleep"). Metrics: "loss".
/// Reference: Hinton, Osindero, Teh 2006, "A fast learning algorithm for deep belief nets", appendix B.
class UpDown final : public Objective, public HoldsStates {
 public:
  /// Trains a graph that has all of the net's top and, beside, `samples`, the data. The top's latents are
  /// those of the net but `labels`, which a batch holds. `parameters` are those of the layers' generation and
  /// recognition, by the names that they have in training; others of the layers stay as they are. Throws
  /// Error where layers do not fit, a layer has no recognition of its own, or `steps` is below 1.
  UpDown(DeepBelief net, Variable samples, Block labels, std::vector<Parameter> parameters,
         UpDownOptions options = {});

  std::string name() const override;
  std::string unit() const override { return "nats"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  std::vector<Parameter> parameters() const override { return parameters_; }
  HeldLoss held_loss(const FactorGraph& graph, std::span<const State> batches, const Carry& carry,
                     Key key) const override;

 private:
  /// Whatever is drawn for a batch: x_0 .. x_n, the top's two states, y_0 .. y_n.
  struct Drawn {
    State like, positive, fantasy;
    std::vector<Value> x, y;
  };
  Drawn drawn(const State& batch, Key key) const;
  Value loss(const Drawn& held) const;

  DeepBelief net_;
  Variable samples_;
  Block labels_, hidden_;
  std::vector<Parameter> parameters_;
  UpDownOptions options_;
};

}  // namespace basin

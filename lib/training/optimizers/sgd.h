#pragma once

#include <utility>

#include "training/optimizers/optimizer.h"

namespace basin {

struct SgdOptions {
  Schedule learning_rate = 0.1;
  Schedule momentum = 0.0;
  bool nesterov = false;
  double weight_decay = 0.0;  // L2: adds weight_decay * parameter to the gradient of matrices
  Rates rates = {};           // factors of the learning rate, of decay too
  Restraints restraints = {};
};

/// Stochastic gradient descent. With g the gradient plus weight_decay * p, r the learning rate, m the
/// momentum:
///   m = 0      p <- p - r g              products of g go straight into p by gemm: no gradient buffer, no
///              pass of its own
///   otherwise  u <- m u - r g,  p <- p + u
///   nesterov   p is the look-ahead point t + m u;  u <- m u - r g,  p <- t + u + m u  (g at the look-ahead
///              point, decay at t). PyTorch's SGD(nesterov=True, weight_decay=...) decays at p instead, as if
///              the decay were a part of g: its runs agree with these where there is no weight_decay; the
///              penalty `l2` of Restraints, which is a part of g, is PyTorch's weight_decay
/// A group's factor multiplies its gradient and its decay, before anything else: the same as its rate. A
/// parameter is a matrix when it has two axes or more. State: "velocity.<parameter>".
/// References: Polyak 1964; Sutskever, Martens, Dahl, Hinton 2013, "On the importance of initialization and
/// momentum", eq. 3-4.
class Sgd final : public Optimizer {
 public:
  explicit Sgd(SgdOptions options = {})
      : Optimizer("sgd", options.rates, options.restraints), options_(std::move(options)) {}

 protected:
  void begin(const Position& position) override;
  void move(const Parameter& parameter, const Gradient& gradient, double factor) override;

 private:
  SgdOptions options_;
  double rate_ = 0.0, momentum_ = 0.0;  // of this update
};

}  // namespace basin

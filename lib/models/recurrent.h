#pragma once

#include <memory>

#include "energy/factors/sequences/step_bilinear.h"
#include "energy/factors/sequences/step_likelihood.h"
#include "energy/factors/sequences/step_score.h"
#include "energy/graph.h"
#include "modules/sequences/recurrent.h"
#include "tensor/key.h"

namespace basin {

/// What a recurrent net takes: one of `size` symbols a step, bits, or numbers.
struct SequenceInput {
  Domain domain = Domain::Real;  // Categorical, Binary or Real
  Index size = 0;
};

struct RecurrentModelOptions {
  SequenceInput input = {};
  Index hidden = 0;
  double dropout = 0.0;  // of what the last layer gives
  StackOptions stack = {};
  Key key;  // no default: weights are not drawn without one
};

/// A graph over sequences "x" [T, size], T free, and what is said of them.
struct RecurrentModel {
  FactorGraph graph;
  Variable x, y;                                          // the same where a sequence foretells itself
  std::shared_ptr<const Module> net;                      // x -> scores, or values, of y
  std::shared_ptr<const StepLikelihood> steps = nullptr;  // of models of every step
};

/// p(y | x) = softmax(W h + b) of a label y, h what the layers have come to at a sequence's own end: E =
/// -y.f(x), a Score. Variables "x" and "label"; parameters "layers.<i>.<name>",
/// "output.weight" and "output.bias". These three throw Error where a size is missing, and before anything is
/// drawn for parameters that take more than half of the machine's memory.
RecurrentModel recurrent_classifier(const RecurrentModelOptions& options, Index classes);

/// y = W h + b of numbers, E = 1/2 |y - f(x)|^2. Variables "x" and "target".
RecurrentModel recurrent_regression(const RecurrentModelOptions& options, Index numbers);

/// -log p of every step of y [T, size] given x up to it, StepLikelihood. Variables "x" and "next".
RecurrentModel sequence_model(const RecurrentModelOptions& options, const SequenceInput& next);

/// -log p(x) of whole sequences, step by step given those before. Variable "x".
RecurrentModel autoregressive_model(const RecurrentModelOptions& options);

/// A graph over sequences of bits: v, its hidden units h, and x, the same bits as a recurrent net has read
/// them before.
struct RecurrentRbm {
  FactorGraph graph;
  Variable x, v, h;
  std::shared_ptr<const Module> net;  // x -> biases of v and h at the next step, side by side
  std::shared_ptr<const StepBilinear> pair = nullptr;
  std::shared_ptr<const StepScore> biases = nullptr;
};

/// RNN-RBM: every step of a sequence is an RBM with `units` hidden units, whose biases come from a recurrent
/// net that has read the steps before:
///   E(v, h | x) = -sum_t [ v_t' W h_t + b_t.v_t + c_t.h_t ],   (b_t, c_t) = (b, c) + u_t-1 V,
/// u the net's last layer. Where v = x it is a model of x: p(x) = prod_t p(v_t = x_t | x_1 .. x_t-1).
/// Variables "x", "v" and "h", of a free number of steps; parameters "v.h.weight" ~ N(0, weight_scale^2),
/// "layers.<i>.<name>", "output.weight" (V) and "output.bias" (b and c). Throws Error for other input than
/// bits, and as the models above. Reference: Boulanger-Lewandowski, Bengio, Vincent 2012, "Modeling temporal
/// dependencies in high-dimensional sequences", section 4.
RecurrentRbm recurrent_rbm(const RecurrentModelOptions& options, Index units, double weight_scale = 0.01);

}  // namespace basin

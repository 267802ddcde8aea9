#pragma once

#include <memory>

#include "energy/factors/step_likelihood.h"
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

}  // namespace basin

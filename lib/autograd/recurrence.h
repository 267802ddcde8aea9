#pragma once

#include <functional>
#include <vector>

#include "autograd/value.h"
#include "tensor/recurrence.h"

namespace basin {

/// How sequences [N, T, ...] of unequal length are walked over.
struct WalkOptions {
  std::vector<Index> lengths = {};  // [N], each in 0 .. T; empty: all T
  bool reversed = false;            // from each sequence's own end to its start
};

/// What a walk leaves: the outputs of all steps [N, T, H], 0 past the ends, and the state after the last step
/// of each sequence [N, S].
struct Walked {
  Value outputs, state;
};

/// One step: (input [N, A], state [N, S]) -> (output [N, H], state after it [N, S]).
struct Stepped {
  Value output, state;
};
using Step = std::function<Stepped(const Value& input, const Value& state)>;

/// A step after another, composed of ops, so that it can be differentiated any number of times: inputs
/// [N, T, A], a state [N, S] at the start. A sequence that has ended keeps its state. Throws Error where
/// shapes or lengths do not fit.
Walked walk(const Value& inputs, const Value& start, const WalkOptions& how, const Step& step);

/// How the steps of a gated cell are computed.
enum class Steps {
  Fused,  // by one kernel forward and one backward where the device has them; further derivatives as Composed
  Composed  // of ops, step after step
};

/// Whether such kernels compute the steps of gated cells without peepholes on a device: the rewrite rule
/// "recurrence".
bool are_fused(Steps steps, Device device);

/// What a gated cell learns beside the product of its inputs.
struct GatedWeights {
  Value recurrent;       // U [H, G H]
  Value candidate = {};  // b [H] of a Gru, undefined of an Lstm
  Value peephole =
      {};  // [3, H] of an Lstm or undefined: c before the step is added to i and f times rows 0
           // and 1, c after it to o times row 2 (Gers, Schmidhuber 2000); then steps are composed
};

/// All steps of a gated cell (tensor/recurrence.h) on inputs a [N, T, G H] that hold the product of x and the
/// biases. States are [N, H] of a Gru, [N, 2 H] of an Lstm: h, then c. Throws Error where shapes or lengths
/// do not fit.
Walked gated_walk(GatedCell cell, const Value& inputs, const GatedWeights& weights, const Value& start,
                  const WalkOptions& how, Steps steps = Steps::Fused);

}  // namespace basin

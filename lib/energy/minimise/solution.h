#pragma once

#include "energy/minimise/infer.h"
#include "energy/minimise/split.h"

namespace basin {

/// What infer asks of a rewrite rule.
struct Inference {
  const Split& split;
  const Transition& transition;
  const State& state;  // z included, memory not
  bool owned;          // z had no value: it is zero, and its tensor is nobody else's and may be overwritten
  const InferOptions& options;
  Stop stop;  // never Auto
  Key key;
};

/// What a rewrite rule found; infer checks and counts.
struct Solution {
  Tensor z;
  Tensor measure;  // [N], f64: the last value of the criterion
  Tensor steps;    // [N], f64
  const char* rule;
};

}  // namespace basin

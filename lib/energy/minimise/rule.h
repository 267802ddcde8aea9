#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "energy/minimise/criterion.h"
#include "energy/minimise/infer.h"

namespace basin {

/// An inference, before its data: what rewrite rules recognise.
struct Inference {
  const Split& split;
  const Transition& transition;
  const InferOptions& options;
  Stop stop;            // never Auto
  Placement placement;  // of the values

  /// The scheme of a transition of z whose step is fixed or 1 / Lipschitz.
  std::optional<ProximalScheme> scheme() const;
};

/// Where it begins.
struct Start {
  const State& state;  // z included, memory not
  bool owned;          // z had no value: it is zero, and its tensor is nobody else's and may be overwritten
  Key key;
};

/// Where it ends.
struct Solution {
  Tensor z;
  Tensor measure, steps;  // [N], f64: the last value of the criterion, iterations
};

/// Moves samples towards the minimum in a room of its own, z in whatever layout; infer() owns the loop, and
/// reads numbers at its checks alone.
class Mover {
 public:
  virtual ~Mover() = default;
  /// Iteration i (0, 1, ..) of the samples that move; at first all do.
  virtual void move(Index i) = 0;
  /// These (ascending, some of those that move) alone move from now on; the others stay as they are.
  virtual void keep(const std::vector<Index>& moving) = 0;
  /// As z is now; the entries of samples that do not move mean nothing. Asked for as `stop` says.
  virtual GapTerms gap_terms() = 0;
  virtual StepTerms step_terms() = 0;
  /// z of all samples, [N, shape...].
  virtual Tensor codes() = 0;
};

/// What a rewrite rule has for an inference that it recognised: all of it, or its iterations. Valid as long
/// as the inference.
struct InferenceRule {
  const char* name;
  std::function<Solution(const Start&)> solve = {};
  std::function<std::unique_ptr<Mover>(const Start&)> mover = {};
};

/// The first of the rules "lasso" and "convolutional_lasso" that recognises it; nullopt: as derived.
std::optional<InferenceRule> recognise(const Inference& inference);

}  // namespace basin

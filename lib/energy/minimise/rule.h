#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "energy/minimise/criterion.h"
#include "energy/minimise/infer.h"
#include "modules/module.h"

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

/// What both rules recognise: an energy that reads z by squared errors of decoders of z, by squared distances
/// to predictions of z, and by L1:
///   sum_i a_i/2 |y_i - f_i(z)|^2 + sum_j c_j/2 |z - g_j(x_j)|^2 + lambda |z|_1,
/// z real or non-negative.
struct Lasso {
  struct Term {
    Variable other;  // y_i, or x_j
    const Module* module;
    double weight;
  };
  std::vector<Term> decoders = {}, predictions = {};
  double lambda = 0.0;
};

/// Pointing into the split's factors; nullopt for other energies, and where no decoder reads z.
std::optional<Lasso> recognise_lasso(const Split& split);

/// The rule "lasso", for Linear decoders: per sample the energy is 1/2 z'H z - q'z + constant + lambda |z|_1
/// with one Gram matrix H = sum a_i W_i W_i' + sum c_j 1 for all samples; then every sample by itself.
/// CoordinateDescent moves several of the best coordinates a pass over the gradient; Fista and Ista take
/// blocks of samples that stay in cache, and those that converged make room for others. nullopt where the
/// pattern, the transition (backtracking) or the criterion (StepSize) is another, or the device has no
/// solvers.
std::optional<InferenceRule> lasso_rule(const Inference& inference);

/// The rule "convolutional_lasso", for one ConvTranspose2d that crops less than its filters as the decoder of
/// images at least 16 wide, and at most one prediction: one pass over the codes an iteration, with
/// correlation, shrinkage and momentum together, and decoding by those codes that are not zero where these
/// are few. nullopt where the pattern is another, the device has no solvers, or the transition neither Ista
/// nor Fista with a Lipschitz or a fixed step. The Lipschitz constant is that of conv_lipschitz(), an upper
/// bound, where the derived path has the power method.
std::optional<InferenceRule> conv_lasso_rule(const Inference& inference);

/// The first of the rules "lasso" and "convolutional_lasso" that recognises it; nullopt: as derived.
std::optional<InferenceRule> recognise(const Inference& inference);

}  // namespace basin

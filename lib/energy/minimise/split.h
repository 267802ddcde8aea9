#pragma once

#include <memory>
#include <optional>

#include "energy/graph.h"
#include "tensor/key.h"

namespace basin {

/// An energy as a function of one real or non-negative variable z, in two parts: E = f(z) + weight * r(z) +
/// const, f the smooth factors that read z, r at most one factor with a prox. A non-negative z without such a
/// factor has the wall z >= 0 for its r.
class Split {
 public:
  /// Throws Error when two factors are not smooth in z (naming both), when z is binary or categorical, or
  /// when it is not of the graph.
  Split(const FactorGraph& graph, Variable z);

  const Variable& variable() const { return variable_; }
  const FactorGraph& smooth() const { return smooth_; }
  /// Null where there is none.
  const std::shared_ptr<const Factor>& rough() const { return rough_; }
  double rough_weight() const { return rough_weight_; }
  /// lambda where weight * r is lambda |z|_1 (or its part on z >= 0).
  std::optional<double> l1_weight() const;

  /// f, [N]; with its gradient in z, differentiable like it, where `gradient` is given. `state` needs all
  /// that the smooth factors read.
  Value smooth_energy(const State& state, Value* gradient = nullptr) const;
  /// weight * r(z), [N]; zeros where there is none.
  Value rough_energy(const State& state) const;
  /// argmin_u step * weight * r(u) + 1/2 |u - value|^2.
  Value prox(const Value& value, const Value& step) const;
  /// True when f(z) = 1/2 |A z - t|^2 for some A and t: only squared errors read z, and each is affine in it.
  bool is_least_squares() const { return is_least_squares_; }

 private:
  Variable variable_;
  FactorGraph smooth_;
  std::shared_ptr<const Factor> rough_;
  double rough_weight_ = 0.0;
  bool is_least_squares_ = false;
};

/// The largest eigenvalue of d2f/dz2 over all samples, by `iterations` of Lanczos' method on Hessian-vector
/// products from a start drawn under `key`, times 1.01 since the method approaches it from below. Where the
/// Hessian is the same everywhere (least squares), 1/that is a step under which ISTA and FISTA converge;
/// elsewhere only backtracking knows. 0 where f is affine in z.
double lipschitz(const Split& split, const State& state, Key key, Index iterations = 50);

}  // namespace basin

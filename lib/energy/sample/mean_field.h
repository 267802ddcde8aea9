#pragma once

#include "energy/transition.h"

namespace basin {

struct MeanFieldOptions {
  Index iterations = 20;  // of a phase of learning; one call is one of them
};

/// An update of the mean-field approximation q(z) = prod_i q_i(z_i) of p(z | rest) ~ exp(-E): with m the
/// means of q, g = dE/dm and h the second derivative of E in each real or non-negative unit,
///   binary      m <- sigma(-g)            categorical   m <- softmax(-g)
///   real        q = Normal(m - g/h, 1/h)  non-negative  the same, truncated to [0, inf).
/// The state holds means as values; the natural parameters of q are its memory. Variables without a value
/// begin at the means of the uniform q (0.5, 1/K, 0; of a half normal). Variables move one after the other,
/// each given the new others, which lowers F(q) = E_q[E] - H(q) >= -log sum_z exp(-E).
///
/// That g is the mean of -log q's natural parameter takes an energy that is affine in each unit (in each
/// one-hot group) with all others held, plus diagonal quadratics in real and non-negative units: any other is
/// an Error. Nothing is drawn; results carry no history.
/// Reference: Salakhutdinov, Hinton 2009, "Deep Boltzmann machines", section 3.1.
class MeanField final : public Transition {
 public:
  /// Throws Error when there is no unit or an option is out of range.
  explicit MeanField(Block units, MeanFieldOptions options = {});

  std::string name() const override { return "MeanField(" + to_string(units_) + ")"; }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return units_; }

  /// Units drawn from the q that moves left in `state`, under key.fold(variable.name).
  State drawn(const State& state, Key key) const;

  const Block& units() const { return units_; }
  const MeanFieldOptions& options() const { return options_; }

 private:
  void update(const FactorGraph& graph, const Variable& z, State& state) const;

  Block units_;
  MeanFieldOptions options_;
};

/// F(q) = E_q[E] - H(q), [N], of a q that MeanField left in `state`; q is held, so that its gradient in the
/// parameters is E_q[dE/dW]. E_q[E] = E(m) + 1/2 sum h Var_q over real and non-negative units. Throws Error
/// when no MeanField has moved a unit.
Value variational_free_energy(const FactorGraph& graph, const Block& units, const State& state);

}  // namespace basin

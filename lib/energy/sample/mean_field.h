#pragma once

#include "energy/transition.h"

namespace basin {

/// What variables see of each other in one update.
enum class Updates {
  Sequential,  // one variable after the other, each given the new others
  Parallel     // all at once, given the old ones
};

struct MeanFieldOptions {
  Index iterations = 20;  // of a phase of learning; one call is one of them
  Updates updates = Updates::Sequential;
  double damping = 0.0;  // the share of q's old natural parameters in its new ones, in [0, 1)
  bool warm = false;     // of such a phase: begins where it left each sample before, by the sample's number
};

/// An update of the mean-field approximation q(z) = prod_i q_i(z_i) of p(z | rest) ~ exp(-E): with m the
/// means of q, g = dE/dm and h the second derivative of E in each real or non-negative unit,
///   binary      m <- sigma(-g)            categorical   m <- softmax(-g)
///   real        q = Normal(m - g/h, 1/h)  non-negative  the same, truncated to [0, inf).
/// The state holds means as values; the natural parameters of q are its memory. Variables without a value
/// begin at the means of the uniform q (0.5, 1/K, 0; of a half normal). Variables move one after the other,
/// each given the new others, which lowers F(q) = E_q[E] - H(q) >= -log sum_z exp(-E) where units of a
/// variable do not interact, damped too. Parallel updates cost one gradient for all variables; they may raise
/// F(q), and run between two states for ever where units strongly disagree: damping,
///   theta <- damping theta + (1 - damping) theta_new   of the natural parameters (-g; drive and h),
/// brings them to the same fixed points. The first update, which has no q before it, is whole.
///
/// That g is the mean of -log q's natural parameter takes an energy that is affine in each unit (in each
/// one-hot group) with all others held, plus diagonal quadratics in real and non-negative units: any other is
/// an Error. Nothing is drawn; results carry no history.
/// References: Salakhutdinov, Hinton 2009, "Deep Boltzmann machines", section 3.1; damping in natural
/// parameters: Khan, Lin 2017, "Conjugate-computation variational inference", eq. 13.
class MeanField final : public Transition {
 public:
  /// Throws Error when there is no unit or an option is out of range.
  explicit MeanField(Block units, MeanFieldOptions options = {});

  std::string name() const override { return "MeanField(" + to_string(units_) + ")"; }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return units_; }

  /// Units drawn from the q that moves left in `state`, under key.fold(variable.name).
  State drawn(const State& state, Key key) const;

  /// The state with q(z) given as its means and natural parameters, for who works them out by other means.
  static void remember(State& state, const Variable& z, Value mean, Value drive);

  const Block& units() const { return units_; }
  const MeanFieldOptions& options() const { return options_; }

 private:
  friend class UnrolledMeanField;
  enum class History { Dropped, Kept };
  State started(const FactorGraph& graph, const State& state) const;
  State updated(const FactorGraph& graph, State state, History history) const;
  void update(const FactorGraph& graph, const Block& together, State& state, History history) const;

  Block units_;
  MeanFieldOptions options_;
};

/// F(q) = E_q[E] - H(q), [N], of a q that MeanField left in `state`; q is held, so that its gradient in the
/// parameters is E_q[dE/dW]. E_q[E] = E(m) + 1/2 sum h Var_q over real and non-negative units. Throws Error
/// when no MeanField has moved a unit.
Value variational_free_energy(const FactorGraph& graph, const Block& units, const State& state);

}  // namespace basin

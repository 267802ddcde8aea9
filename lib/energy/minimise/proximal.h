#pragma once

#include <optional>
#include <string>
#include <utility>

#include "energy/minimise/split.h"
#include "energy/transition.h"

namespace basin {

/// How the step of proximal gradient iterations is chosen.
enum class StepRule {
  Lipschitz,  // 1 / lipschitz() where the first iteration begins, remembered in the state: for a smooth part
              // of constant curvature
  Backtracking  // per sample: halved until f(z+) <= f(z) + g.(z+ - z) + |z+ - z|^2 / (2 step): for any (Beck
                // and Teboulle 2009)
};

struct ProximalOptions {
  StepRule rule = StepRule::Lipschitz;
  std::optional<double> step = {};  // a fixed step instead of any rule
  bool restart = true;              // of Fista's momentum
};

/// One step of proximal gradient descent. Differentiable in parameters and state, so that it can be unrolled;
/// a step found by a rule is a constant. Info: "step_size".
///   Ista   z <- prox(z - step * df/dz, step).
///   Fista  the same with Nesterov's momentum and, per sample, a restart of it when it points uphill:
///          z_1 = prox(z_0 - step df/dz_0, step);  for k >= 1:  z_k+1 = prox(u - step df/du, step),
///            u = z_k + beta_k (z_k - z_k-1),  beta_k = (t_k - 1) / t_k+1,
///          t_1 = 1,  t_k+1 = (1 + sqrt(1 + 4 t_k^2)) / 2,  t_k+1 <- 1 where (u - z_k+1).(z_k+1 - z_k) > 0;
///          z_k-1 and t are the state's memory.
/// Reference: Daubechies, Defrise, De Mol 2004; Beck and Teboulle 2009, eq. 3.1 and 4.1-4.3; O'Donoghue and
/// Candes 2015, sec. 3.2 (gradient scheme).
template <bool accelerated>
class ProximalGradient final : public Transition {
 public:
  explicit ProximalGradient(Variable z, ProximalOptions options = {});
  std::string name() const override { return (accelerated ? "Fista(" : "Ista(") + scheme_.z.name + ")"; }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Info info(const State& after) const override;
  std::optional<ProximalScheme> proximal() const override { return scheme_; }

 private:
  ProximalScheme scheme_;
};

using Ista = ProximalGradient<false>;
using Fista = ProximalGradient<true>;

/// One iteration of coordinate descent where the Hessian H of f in z is constant: of each sample, the
/// coordinate that gains most, to its minimum:  u = prox_i(z_i - g_i / H_ii, 1 / H_ii),  i = argmax |u_i -
/// z_i|,  z_i <- u_i. Throws Error where f is not least squares or r does not act on each coordinate by
/// itself (group L2). Reference: Li and Osher 2009, "Coordinate descent optimization for l1 minimization with
/// application to compressed sensing", algorithm 2.
class CoordinateDescent final : public Transition {
 public:
  explicit CoordinateDescent(Variable z) : variable_(std::move(z)) {}
  std::string name() const override { return "CoordinateDescent(" + variable_.name + ")"; }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  std::optional<Variable> coordinate() const override { return variable_; }

 private:
  Variable variable_;
};

/// 1 / lipschitz() as a first iteration under `key` takes it. Throws Error when that is no positive number.
double lipschitz_step(const Split& split, const State& at, Key key);

}  // namespace basin

#pragma once

#include <map>
#include <string>

#include "energy/sample/continuous/real_block.h"

namespace basin {

/// Variances of units by the name of their variable, [shape...], roughly those of exp(-E): the inverse masses
/// of a diagonal metric. 1 for variables that are not named.
using Variances = std::map<std::string, Tensor>;

/// Throws Error "[who] ..." for names of other variables, other shapes, and variances that are not positive.
void check_variances(const RealBlock& block, const Variances& variances);

/// A particle in each row's energy.
struct Particle {
  Value position, momentum;  // [N, D]
  Potential potential;       // there
};

/// H(q, p) = E(q) + 1/2 sum_d s_d p_d^2, s the variances: what a particle of position q and momentum p ~ N(0,
/// 1 / s) keeps as it moves, dq/dt = s p, dp/dt = -dE/dq.
class Hamiltonian {
 public:
  /// All are kept by reference.
  Hamiltonian(const RealBlock& block, const FactorGraph& graph, const State& state,
              const Variances& variances);

  /// At the state's values, with momenta that are drawn under `key` (RealBlock::normals).
  Particle start(Key key) const;
  /// H of each row, [N].
  Value energy(const Particle& particle) const;
  /// s p, [N, D].
  Value velocity(const Value& momentum) const;
  /// A leapfrog step of time `time`, [N, 1], for each row; it keeps volume and can be taken back by -time:
  ///   p <- p - time / 2 dE/dq,   q <- q + time s p,   p <- p - time / 2 dE/dq.
  Particle leapfrog(const Particle& particle, const Value& time) const;

 private:
  const RealBlock& block_;
  const FactorGraph& graph_;
  const State& state_;
  Value variances_;  // [1, D]; undefined: ones
};

/// From this loss of H on a trajectory is said to diverge.
inline constexpr double kDivergent = 1000.0;

/// min(1, exp(fall)) of falls of H, [N]; 0 of a NaN.
Value acceptance_of(const Value& fall);

}  // namespace basin

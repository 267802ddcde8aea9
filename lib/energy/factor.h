#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "energy/fuse.h"
#include "energy/state.h"
#include "energy/structure.h"
#include "modules/parameter.h"

namespace basin {

/// What a factor says of its energy as a function of one variable, all others held, wherever they are.
enum class Order {
  Undeclared,  // nothing: probed, on the data at hand too, and again from time to time
  Affine,      // a + g.x
  Quadratic,   // a + g.x + 1/2 h.x^2: no product of two members; h >= 0, the same for any x
  Chain,       // of one-hot codes [T, K]: a - sum_t u_t.x_t - sum_t x_t' A_t x_t+1, see Factor::chain_scores
  Joint,       // of discrete values that the factor eliminates together, see Factor::structure
  Any          // none of these
};

/// u [N, T, K] and A [K, K] or [N, T - 1, K, K] of Order::Chain.
struct ChainScores {
  Value unary, pairwise;
};

/// One term of an energy.
class Factor {
 public:
  virtual ~Factor() = default;
  /// "Bilinear(v, h)", for messages and results files.
  virtual std::string name() const = 0;
  /// The variables it reads, and no others.
  virtual std::vector<Variable> scope() const = 0;
  /// One energy per sample, [N]; samples of a batch never mix.
  virtual Value energy(const State& state) const = 0;
  virtual std::vector<Parameter> parameters() const { return {}; }
  /// The rewrite rules that compute its energy.
  virtual Rules rules() const { return {}; }

  virtual Order order_in(const Variable& /*variable*/) const { return Order::Undeclared; }
  /// True where every local minimum in this variable, the others held, is the minimum.
  virtual bool convex_in(const Variable& variable) const {
    return order_in(variable) == Order::Affine || order_in(variable) == Order::Quadratic;
  }
  /// False where samples of equal values have equal energies, nothing random, and numbers that are 0 add
  /// nothing: past the ends of sequences such a factor reads zeros.
  virtual bool reads_context() const { return true; }
  /// The variables whose sequences it ends at the context's lengths; it reads zeros past the ends of others.
  /// A factor that reads the context and names none is refused where the variables that it reads have
  /// lengths.
  virtual Block sequences() const { return {}; }
  /// Of a factor that scales another's energy by a number of each row: that other, whose units couple as its
  /// do.
  virtual std::shared_ptr<const Factor> without_row_scales() const { return nullptr; }
  /// Of Order::Chain alone; `rest` needs no value of `variable`. Sequences end at the context's lengths.
  virtual ChainScores chain_scores(const Variable& /*variable*/, const State& /*rest*/) const { return {}; }
  /// Of Order::Joint alone: `weight` times its scores as a function of `latents`, all of them of that order
  /// and in the order of its scope, at the rows of `rest`, which need hold none of them and holds all else
  /// that the factor reads.
  virtual std::shared_ptr<const Structure> structure(const Block& /*latents*/, const State& /*rest*/,
                                                     double /*weight*/) const {
    return nullptr;
  }

  /// False where the energy has kinks or walls in this variable, so that inference must go through prox().
  virtual bool smooth_in(const Variable& /*variable*/) const { return true; }
  /// argmin_z step * E(z) + 1/2 |z - value|^2, of value's shape, for a factor that is not smooth in
  /// `variable`. `step` holds positive numbers that broadcast against `value`: [1], or one a sample [N, 1,
  /// ...]. nullopt: the factor is smooth in this variable.
  virtual std::optional<Value> prox(const Variable& /*variable*/, const Value& /*value*/,
                                    const Value& /*step*/) const {
    return std::nullopt;
  }
  /// False where prox() moves members of the variable together, so that no coordinate can be moved by itself.
  virtual bool separable_in(const Variable& /*variable*/) const { return true; }
  /// For an energy that is a norm (or its part on a cone) of `variable`: max { u.z : E(z) <= 1 }, one number
  /// a sample, [N]. It scales residuals to dual feasible points, and max over z = 0 of it is the weight from
  /// which all codes are zero. nullopt: not a norm.
  virtual std::optional<Value> dual_norm(const Variable& /*variable*/, const Value& /*u*/) const {
    return std::nullopt;
  }
  /// The number in front of that norm (lambda), so that messages can speak of it.
  virtual double strength() const { return 1.0; }
};

}  // namespace basin

#pragma once

#include <vector>

#include "energy/transition.h"
#include "tensor/error.h"

namespace basin {

/// An energy written as a function of a block b around b = 0: E(b) = energy - drive.b + 1/2 curvature.b^2,
/// exact for a block whose members do not interact. Conditionals and free energies are read off it, so that
/// both cost one evaluation.
struct Expansion {
  Value energy;                  // E(0), [N]
  std::vector<Value> drive;      // -dE/db at 0, [N, shape...] per variable
  std::vector<Value> curvature;  // the diagonal Hessian at 0; undefined for binary and categorical variables
  std::vector<Value> inside = {};  // units_inside() of each; none: all count
};

struct ExpansionOptions {
  bool whole = true;           // false: only the factors that read the block
  bool differentiable = true;  // keep history on drive and curvature
  bool partial = false;        // of some factors: curvatures may be 0 or below
  bool at_values = false;  // around the block's values in `rest` instead of 0: E(b + u) as a function of u
};

/// N is the batch of `rest`, 1 when it is empty; values of the block in it are ignored. Throws Error when the
/// block is not of the graph, and, with a block of real or non-negative variables, when a curvature is not >
/// 0.
Expansion expand(const FactorGraph& graph, const Block& block, const State& rest,
                 ExpansionOptions options = {});

/// 1 at units of sequences, 0 at those past their ends at the context's lengths: [N, T, 1 ...] of the rank of
/// the variable's units (one of each one-hot group). Undefined where all units count.
Value units_inside(const FactorGraph& graph, const Variable& variable, const State& rest);

/// Curvatures with 1 past the ends of sequences, where no energy has any.
Value curvature_inside(const Value& curvature, const Value& inside);

/// An energy that is not convex in a variable where it must be: it never was, or its parameters have left all
/// bounds.
class NotConvex : public Error {
 public:
  using Error::Error;
};

/// Throws NotConvex, naming the variable, unless all curvatures are > 0; undefined ones are passed over. One
/// download, or none where Demands wait to be settled (tensor/demands.h).
void require_positive(const std::vector<Value>& curvature, const Block& block);

/// True for real and non-negative.
bool is_continuous(const Variable& variable);

/// Throws Error unless all are different variables of the graph. `who` leads the message.
void require_block(const FactorGraph& graph, const Block& block, const char* who);

}  // namespace basin

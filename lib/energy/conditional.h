#pragma once

#include "energy/transition.h"

namespace basin {

/// p(b | rest) ~ exp(-E) for a block b whose members do not interact, read off -dE/db:
///   binary       Bernoulli(sigma(-g))            g = dE/db, which does not depend on b
///   categorical  Softmax(-g)
///   real         Normal(b - g/h, 1/h)            h = the diagonal Hessian
///   non-negative the same normal, truncated to [0, inf)
/// One entry per variable of the block, each [N, shape...].
struct Conditional {
  Variable variable;
  Value input;      // -g (binary, categorical); mean (real); mean of the untruncated normal (non-negative)
  Value precision;  // h; undefined for binary and categorical
  /// E[b | rest], differentiable.
  Value mean() const;
  /// A draw under key.fold(variable.name); no history.
  Tensor sample(Key key) const;
};

struct ConditionalOptions {
  bool differentiable = false;  // keep history, so that means can be differentiated by parameters and by the rest
};

/// All variables outside the block must have values in `state`; those inside need none. Throws Error when h <= 0.
std::vector<Conditional> conditional(const FactorGraph& graph, const Block& block, const State& state, ConditionalOptions options = {});

/// Throws Error "[conditional] block {h1, h2} interacts with itself; ..." unless, at a few random points under a fixed key,
/// |E(b+u) - E(b) - g.u| (binary, categorical) or |H u - h o u| and third differences (real) are small. `rest` are the shapes:
/// every other variable is drawn at random inside its domain.
void check_no_interaction(const FactorGraph& graph, const Block& block);

}  // namespace basin

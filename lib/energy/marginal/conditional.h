#pragma once

#include <vector>

#include "energy/marginal/probe.h"
#include "tensor/backend.h"

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
  Index first_row = 0;  // number of the first row in the whole batch
  /// E[b | rest], differentiable. Non-negative, with mu the input, sigma = 1/sqrt(h), a = mu / sigma: mu +
  /// sigma phi(a) / Phi(a).
  Value mean() const;
  /// A draw under key.fold(variable.name), row n's that of row first_row + n; no history.
  Tensor sample(Key key) const;
};

struct ConditionalOptions {
  bool differentiable =
      false;  // keep history, so that means can be differentiated by parameters and by the rest
};

/// Variables outside the block that share a factor with it must have values in `state`; those inside need
/// none. Throws Error when members interact (require_no_interaction), and when h <= 0.
std::vector<Conditional> conditional(const FactorGraph& graph, const Block& block, const State& state,
                                     ConditionalOptions options = {});

/// The draws of a domain, as the `units` kernel knows them.
Unit unit_of(Domain domain);

}  // namespace basin

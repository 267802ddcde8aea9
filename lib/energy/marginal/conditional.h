#pragma once

#include <memory>
#include <string>
#include <vector>

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

/// Why the members, variables that term `term` of the graph reads, couple in it; empty where its energy is
///   E(b) = E(0) + g.b + 1/2 h.b^2    (h only for real and non-negative members).
/// What orders declare is tested at random points b of the domains, drawn with the rest under a fixed key,
/// and so is the derivative of both sides by every parameter (a coupling that is still zero is found too).
/// Where an order is undeclared or there are two members, which may couple at some values of the rest alone,
/// it is tested around the first samples of `data` too, at all states of few units or at random points of
/// many sizes: random points may all lie in one linear region of a network.
std::string coupling(const FactorGraph& graph, std::size_t term, const Block& members, const State& data);

/// The same, remembered by the graph (ProbeMemory).
std::string known_coupling(const FactorGraph& graph, std::size_t term, const Block& members,
                           const State& data);

/// True where no factor couples members of a block; remembered.
bool stays_apart(const FactorGraph& graph, const Block& block, const State& data);

/// Throws Error "[conditional] block {h1, h2} interacts with itself; ..." where a factor couples members.
void check_no_interaction(const FactorGraph& graph, const Block& block, const State& data = {});
/// The same, remembered by the graph: cheap enough for every step of a loop.
void require_no_interaction(const FactorGraph& graph, const Block& block, const State& data);

/// What is probed for a term: where rows are scaled each by its own number, the factor that is scaled.
std::shared_ptr<const Factor> probed(const FactorGraph& graph, std::size_t term);
/// The energy of that factor alone, at weight 1.
FactorGraph alone(const FactorGraph& graph, std::size_t term);

/// The variables of the block that a factor reads.
Block members_of(const Factor& factor, const Block& block);

}  // namespace basin

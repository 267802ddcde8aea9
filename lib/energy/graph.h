#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "energy/factor.h"
#include "energy/probe_memory.h"

namespace basin {

/// A factor of a graph, by its type, with its weight in the sum.
template <class F>
struct TermOf {
  std::shared_ptr<const F> factor;
  double weight = 1.0;
};

/// E(state) = sum_i weight_i E_i(state): a sum of factors over named variables. Copies share factors and
/// parameters.
/// A variable needs a name of its own, and extents of at least 1; anything else throws Error.
class FactorGraph {
 public:
  Variable real(std::string name, Shape shape);
  Variable non_negative(std::string name, Shape shape);
  Variable binary(std::string name, Shape shape);
  Variable categorical(std::string name,
                       Shape shape);  // one-hot along the last axis, which must be >= 2 long
  Variable variable(std::string name, Domain domain, Shape shape);

  /// Adds a factor over this graph's variables. Throws Error when its scope names others or two parameters
  /// share a name.
  template <std::derived_from<Factor> F>
  FactorGraph& add(F factor, double weight = 1.0) {
    return add(std::shared_ptr<const Factor>(std::make_shared<const F>(std::move(factor))), weight);
  }
  FactorGraph& add(std::shared_ptr<const Factor> factor, double weight = 1.0);

  /// A graph over the same variables with every factor's weight multiplied: E -> scale * E.
  FactorGraph scaled(double scale) const;
  /// A graph over the same variables where term i has the weight weight(i, term): 0 leaves it out, and the
  /// others draw the noise they draw here.
  template <class Weight>
  FactorGraph weighted(Weight weight) const {
    FactorGraph copy = *this;
    for (std::size_t i = 0; i < terms_.size(); ++i) copy.terms_[i].weight = weight(i, terms_[i]);
    return copy;
  }
  /// A graph over the same variables with the factor wrapped(factor) in the place of each, which reads the
  /// same variables and has the same parameters.
  template <class Wrap>
  FactorGraph wrapped(Wrap wrap) const {
    FactorGraph copy = *this;
    for (Term& term : copy.terms_) term.factor = wrap(term.factor);
    return copy;
  }
  /// Adds all factors of a graph over the same variables: E -> E + E'. Throws Error when the variables
  /// differ.
  FactorGraph& add_all(const FactorGraph& other);

  /// [N], zeros where no factor has a weight other than 0. Throws Error when a variable in some scope has no
  /// value, when a factor does not return [N], or when one does not know the lengths of sequences that it
  /// reads (Factor::sequences).
  Value energy(const State& state) const;
  /// The part of it that depends on one of `variables`: the sum of the factors that read one. Only their
  /// scopes need values.
  Value energy_touching(const Block& variables, const State& state) const;

  /// The variables that may end at the context's lengths: of a free extent, or read so by a factor.
  Block sequences() const;

  /// The state as a term sees it: with noise of its own.
  State seen_by(std::size_t term, State state) const;

  using Term = TermOf<Factor>;
  const std::vector<Term>& terms() const { return terms_; }
  /// The factors of a type, in order of addition, weights of 0 included.
  template <class F>
  std::vector<TermOf<F>> factors() const {
    std::vector<TermOf<F>> found;
    for (const Term& term : terms_) {
      if (auto factor = std::dynamic_pointer_cast<const F>(term.factor))
        found.push_back({std::move(factor), term.weight});
    }
    return found;
  }
  /// Those of them that read a variable.
  template <class F>
  std::vector<TermOf<F>> factors(const Variable& variable) const {
    std::vector<TermOf<F>> found = factors<F>();
    std::erase_if(found, [&](const TermOf<F>& term) { return !contains(term.factor->scope(), variable); });
    return found;
  }
  /// The terms that have a weight other than 0 and read one of the variables.
  std::vector<Term> touching(const Block& variables) const;
  std::vector<Term> touching(const Variable& variable) const { return touching(Block{variable}); }
  const std::vector<Variable>& variables() const { return variables_; }
  /// By name. Throws Error with the known names.
  const Variable& find(const std::string& name) const;
  /// True when this very variable (name, domain, shape) is one of this graph's.
  bool has(const Variable& variable) const;
  /// Every distinct parameter, in order of addition.
  std::vector<Parameter> parameters() const;
  /// By name. Throws Error with the known names.
  Parameter parameter(const std::string& name) const;
  /// The position in parameters(). Throws Error when it is none of this graph's.
  std::size_t index_of(const Parameter& parameter) const;
  /// The rewrite rules that compute its factors.
  Rules rules() const;
  Placement placement() const;  // of the first parameter; default when there is none
  void to(Placement placement) const;
  /// What is known of its factors, shared by copies.
  ProbeMemory& probes() const { return *probes_; }

 private:
  template <class Filter>
  Value energy_of(const State& state, Filter filter) const;

  std::vector<Variable> variables_;
  std::vector<Term> terms_;
  std::shared_ptr<ProbeMemory> probes_ = std::make_shared<ProbeMemory>();
};

}  // namespace basin

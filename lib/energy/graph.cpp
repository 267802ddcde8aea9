#include "energy/graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "energy/ends.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

bool same_parameter(const Parameter& a, const Parameter& b) { return a.value().node() == b.value().node(); }

bool same_variable(const Variable& a, const Variable& b) {
  return a == b && a.domain == b.domain && a.shape == b.shape;
}

template <class Named>
std::string names(const std::vector<Named>& all) {
  std::string text;
  for (const Named& one : all) {
    text += (text.empty() ? "" : ", ") + one.name;
  }
  return text.empty() ? "none" : text;
}

bool reads(const Factor& factor, const Block& variables) {
  const Block scope = factor.scope();
  return std::find_first_of(scope.begin(), scope.end(), variables.begin(), variables.end()) != scope.end();
}

/// The state with zeros past the ends of sequences.
State ended_at_lengths(const Block& sequences, const State& state) {
  State ended = state;
  for (const Variable& variable : sequences) {
    if (!state.has(variable)) continue;
    const Value& x = state[variable];
    ended.set(variable, x * inside_lengths(variable, x.shape(), state.context(), x.placement()));
  }
  return ended;
}

}  // namespace

Variable FactorGraph::real(std::string name, Shape shape) {
  return variable(std::move(name), Domain::Real, std::move(shape));
}
Variable FactorGraph::non_negative(std::string name, Shape shape) {
  return variable(std::move(name), Domain::NonNegative, std::move(shape));
}
Variable FactorGraph::binary(std::string name, Shape shape) {
  return variable(std::move(name), Domain::Binary, std::move(shape));
}
Variable FactorGraph::categorical(std::string name, Shape shape) {
  return variable(std::move(name), Domain::Categorical, std::move(shape));
}

Variable FactorGraph::variable(std::string name, Domain domain, Shape shape) {
  if (name.empty()) {
    throw Error(
        "[graph] expected a name for the variable, received an empty one; name it as in the energy (v, h, "
        "z)");
  }
  for (const Variable& other : variables_) {
    if (other.name == name) {
      throw Error(fmt::format(
          "[graph] expected a new variable name, received {} a second time; choose another", name));
    }
  }
  if (std::ranges::any_of(shape, [](Index extent) { return extent < 0; }) ||
      std::ranges::count(shape, Index{0}) > 1) {
    throw Error(
        fmt::format("[graph] expected extents >= 1, one of them 0 at most (free), for variable {}, received "
                    "shape {}; give the shape of one sample",
                    name, to_string(shape)));
  }
  if (domain == Domain::Categorical && (shape.empty() || shape.back() < 2)) {
    throw Error(
        fmt::format("[graph] expected at least 2 categories along the last axis of {}, received shape {}; "
                    "use binary for one unit",
                    name, to_string(shape)));
  }
  variables_.push_back({std::move(name), domain, std::move(shape), static_cast<int>(variables_.size())});
  return variables_.back();
}

FactorGraph& FactorGraph::add(std::shared_ptr<const Factor> factor, double weight) {
  if (factor == nullptr) {
    throw Error("[graph] expected a factor, received a null pointer; make it with std::make_shared");
  }
  if (!std::isfinite(weight)) {
    throw Error(fmt::format("[graph] expected a finite weight for {}, received {}", factor->name(), weight));
  }
  for (const Variable& variable : factor->scope()) {
    if (!has(variable)) {
      throw Error(
          fmt::format("[graph] {} reads variable {} of shape {}, which is not of this graph (its variables: "
                      "{}); make it by this graph first",
                      factor->name(), variable.name, to_string(variable.shape), names(variables_)));
    }
  }
  const std::vector<Parameter> known = parameters();
  for (const Parameter& parameter : factor->parameters()) {
    for (const Parameter& other : known) {
      if (other.name() == parameter.name() && !same_parameter(other, parameter)) {
        throw Error(
            fmt::format("[graph] {} has a parameter {}, but another parameter has that name already; give "
                        "the factor a label of its own",
                        factor->name(), parameter.name()));
      }
    }
  }
  terms_.push_back({std::move(factor), weight});
  return *this;
}

FactorGraph FactorGraph::scaled(double scale) const {
  return weighted([&](std::size_t, const Term& term) { return term.weight * scale; });
}

FactorGraph& FactorGraph::add_all(const FactorGraph& other) {
  if (!std::equal(variables_.begin(), variables_.end(), other.variables_.begin(), other.variables_.end(),
                  same_variable)) {
    throw Error(
        fmt::format("[graph] expected a graph over the same variables ({}), received one over ({}); build "
                    "both in the same order",
                    names(variables_), names(other.variables_)));
  }
  const std::vector<Term> added = other.terms_;  // `other` may be this graph
  for (const Term& term : added) {
    add(term.factor, term.weight);
  }
  return *this;
}

Value FactorGraph::energy(const State& state) const {
  return energy_of(state, [](const Factor&) { return true; });
}

Value FactorGraph::energy_touching(const Block& variables, const State& state) const {
  return energy_of(state, [&](const Factor& factor) { return reads(factor, variables); });
}

std::vector<FactorGraph::Term> FactorGraph::touching(const Block& variables) const {
  std::vector<Term> found = terms_;
  std::erase_if(found,
                [&](const Term& term) { return term.weight == 0.0 || !reads(*term.factor, variables); });
  return found;
}

template <class Filter>
Value FactorGraph::energy_of(const State& state, Filter filter) const {
  Value total;
  const bool noisy = state.context().key.has_value();
  const Block ragged = state.context().lengths.defined() ? sequences() : Block{};
  if (state.context().lengths.defined() && ragged.empty()) {
    throw Error(
        "[graph] expected a variable of a free extent, or a factor that ends one at Context::lengths, "
        "received lengths beside variables without; make the extent of time 0, or leave the lengths out");
  }
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    const Term& term = terms_[i];
    // A factor without weight is left out, so that an infinite energy of it does not turn the sum into a NaN.
    if (term.weight == 0.0 || !filter(*term.factor)) {
      continue;
    }
    const Block own = term.factor->sequences();
    Block others = term.factor->scope();
    std::erase_if(others,
                  [&](const Variable& each) { return !contains(ragged, each) || contains(own, each); });
    if (!others.empty() && own.empty() && term.factor->reads_context()) {
      throw Error(fmt::format(
          "[graph] factor {} does not know lengths, by which sequences in {} end, and would count what "
          "stands behind; leave Context::lengths out where all are as long, or the factor",
          term.factor->name(), names(term.factor->scope())));
    }
    const State& at = others.empty() ? state : ended_at_lengths(others, state);
    Value energy = term.factor->energy(noisy ? seen_by(i, at) : at);
    if (energy.shape() != Shape{state.batch()}) {
      throw Error(fmt::format(
          "[{}] expected one energy per sample, [{}], received shape {}; sum over all axes but the first",
          term.factor->name(), state.batch(), to_string(energy.shape())));
    }
    if (term.weight != 1.0) {
      energy = energy * term.weight;
    }
    total = total.defined() ? total + energy : energy;
  }
  if (total.defined()) return total;
  return Tensor::zeros({state.empty() ? 1 : state.batch()}, state.empty() ? placement() : state.placement());
}

Block FactorGraph::sequences() const {
  Block found;
  for (const Variable& variable : variables_) {
    if (variable.is_free() || std::any_of(terms_.begin(), terms_.end(), [&](const Term& term) {
          return contains(term.factor->sequences(), variable);
        }))
      found.push_back(variable);
  }
  return found;
}

State FactorGraph::seen_by(std::size_t term, State state) const {
  const Context own = state.context().fold(term);
  state.in(own);
  return state;
}

const Variable& FactorGraph::find(const std::string& name) const {
  for (const Variable& variable : variables_) {
    if (variable.name == name) {
      return variable;
    }
  }
  throw Error(
      fmt::format("[graph] expected a variable of this graph ({}), received {}", names(variables_), name));
}

bool FactorGraph::has(const Variable& variable) const {
  const auto index = static_cast<std::size_t>(variable.index);
  return index < variables_.size() && variables_[index] == variable &&
         variables_[index].domain == variable.domain &&
         (variables_[index].shape == variable.shape || variables_[index].fits(variable.shape));
}

std::vector<Parameter> FactorGraph::parameters() const {
  std::vector<Parameter> distinct;
  for (const Term& term : terms_) {
    for (Parameter& parameter : term.factor->parameters()) {
      if (std::none_of(distinct.begin(), distinct.end(),
                       [&](const Parameter& other) { return same_parameter(other, parameter); })) {
        distinct.push_back(std::move(parameter));
      }
    }
  }
  return distinct;
}

Parameter FactorGraph::parameter(const std::string& name) const {
  std::vector<std::string> known;
  for (const Parameter& parameter : parameters()) {
    if (parameter.name() == name) return parameter;
    known.push_back(parameter.name());
  }
  throw Error(fmt::format("[graph] expected a parameter of this graph ({}), received {}",
                          known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")), name));
}

std::size_t FactorGraph::index_of(const Parameter& parameter) const {
  const std::vector<Parameter> all = parameters();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (same_parameter(all[i], parameter)) return i;
  }
  throw Error(fmt::format("[graph] {} is no parameter of this graph", parameter.name()));
}

Rules FactorGraph::rules() const {
  Rules all;
  for (const Term& term : terms_) {
    for (std::string& rule : term.factor->rules()) all.push_back(std::move(rule));
  }
  return all;
}

Placement FactorGraph::placement() const {
  const std::vector<Parameter> all = parameters();
  return all.empty() ? Placement{} : all.front().tensor().placement();
}

void FactorGraph::to(Placement placement) const {
  for (Parameter& parameter : parameters()) {
    parameter.to(placement);
  }
}

}  // namespace basin

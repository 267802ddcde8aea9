#include "energy/eliminate/component_energy.h"

#include <algorithm>
#include <array>

#include "autograd/ops.h"
#include "energy/eliminate/chain_scan.h"
#include "energy/eliminate/recomputed.h"
#include "energy/eliminate/searched_minimum.h"
#include "energy/eliminate/tabulated.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/enumerate.h"
#include "energy/sample_ops.h"

namespace basin {
namespace {

bool reads(const Factor& factor, const Block& block) { return !members_of(factor, block).empty(); }

/// Where a term of a component must be evaluated.
enum class Rows { None, Samples, States, Both };

Rows rows_of(const FactorGraph::Term& term, const Component& component, const State& rest) {
  const Factor& factor = *term.factor;
  if (term.weight == 0.0 || !reads(factor, component.all())) return Rows::None;
  // Nothing is clamped: all terms at once, as one evaluation of states rounds.
  if (rest.empty() && !component.enumerated.empty()) return Rows::States;
  if (!reads(factor, component.enumerated)) return Rows::Samples;
  const bool context = factor.without_row_scales() ||
                       ((rest.context().key || rest.context().lengths.defined()) && factor.reads_context());
  const std::vector<Variable> scope = factor.scope();
  const bool alone = !context && std::all_of(scope.begin(), scope.end(), [&](const Variable& variable) {
    return contains(component.all(), variable);
  });
  return alone ? Rows::States : Rows::Both;
}

/// a + b where either may be missing.
Value plus(const Value& a, const Value& b) {
  return a.defined() && b.defined() ? a + b : a.defined() ? a : b;
}

/// A component's energy as numbers that broadcast to [N, c, ...].
struct Sum {
  Value energy;
  std::vector<Value> drive, curvature, pairwise;
};

/// What is neither enumerated nor inferred: units, then chains, then what goes jointly.
Block inner_of(const Component& component) {
  Block inner = component.units;
  inner.insert(inner.end(), component.chains.begin(), component.chains.end());
  inner.insert(inner.end(), component.joint.begin(), component.joint.end());
  return inner;
}

/// Whether the factor eliminates some of these itself.
bool is_joint(const Factor& factor, const Block& block) {
  return std::any_of(block.begin(), block.end(), [&](const Variable& variable) {
    return reads(factor, {variable}) && factor.order_in(variable) == Order::Joint;
  });
}

/// Adds the terms of one kind of rows; `lead` is [N, 1], [1, c] or [N, c].
void add(Sum& sum, const FactorGraph& graph, const Component& component, const State& at,
         std::array<Index, 2> lead) {
  const Block inner = inner_of(component);
  const auto lifted = [&](const Value& x, Shape shape) {
    shape.insert(shape.begin(), lead.begin(), lead.end());
    return reshape(x, std::move(shape));
  };
  const FactorGraph plain = graph.weighted([&](std::size_t, const FactorGraph::Term& term) {
    const bool chain =
        std::any_of(component.chains.begin(), component.chains.end(), [&](const Variable& variable) {
          return reads(*term.factor, {variable}) && term.factor->order_in(variable) == Order::Chain;
        });
    return chain || is_joint(*term.factor, component.joint) || reads(*term.factor, component.inferred)
               ? 0.0
               : term.weight;
  });
  const Expansion expansion = expand(plain, inner, at, {.partial = true});
  sum.energy = plus(sum.energy, lifted(expansion.energy, {}));
  for (std::size_t i = 0; i < inner.size(); ++i) {
    sum.drive[i] = plus(sum.drive[i], lifted(expansion.drive[i], inner[i].shape));
    if (expansion.curvature[i].defined())
      sum.curvature[i] = plus(sum.curvature[i], lifted(expansion.curvature[i], inner[i].shape));
  }
  for (std::size_t k = 0; k < component.chains.size(); ++k) {
    for (std::size_t i = 0; i < graph.terms().size(); ++i) {
      const FactorGraph::Term& term = graph.terms()[i];
      const Variable& chain = component.chains[k];
      if (term.weight == 0.0 || !reads(*term.factor, {chain}) || term.factor->order_in(chain) != Order::Chain)
        continue;
      const ChainScores scores = term.factor->chain_scores(chain, graph.seen_by(i, at));
      Value& unary = sum.drive[component.units.size() + k];
      unary = plus(unary, lifted(scores.unary * term.weight, chain.shape));
      Shape shape = scores.pairwise.shape();
      if (shape.size() == 2) {
        shape = {1, 1, 1, shape[0], shape[1]};
      } else {
        shape.erase(shape.begin());
        shape.insert(shape.begin(), lead.begin(), lead.end());
      }
      sum.pairwise[k] = plus(sum.pairwise[k], reshape(scores.pairwise * term.weight, shape));
    }
  }
}

/// Numbers that broadcast to [n, c, ...], as rows [n * c, ...].
Value as_rows(const Value& x, Index n, Index c) {
  Shape shape = x.shape();
  shape[0] = n;
  shape[1] = c;
  Shape rows(shape.begin() + 1, shape.end());
  rows[0] = n * c;
  return reshape(broadcast_to(x, shape), rows);
}

/// [n, c, ...] -> [n * c, T - 1 or 1, K, K]; a pairwise table that is the same everywhere stays one.
Value pairwise_rows(const Value& x, Index n, Index c) {
  const Shape& shape = x.shape();
  if (shape[0] == 1 && shape[1] == 1 && shape[2] == 1) return reshape(x, {shape[3], shape[4]});
  return as_rows(x, n, c);
}

}  // namespace

FactorGraph only_touching(const FactorGraph& graph, const Block& block) {
  return graph.weighted([&](std::size_t, const FactorGraph::Term& term) {
    return reads(*term.factor, block) ? term.weight : 0.0;
  });
}

State outside(const FactorGraph& graph, const Block& block, const State& state) {
  State rest = state.like();
  for (const Variable& variable : graph.variables()) {
    if (state.has(variable) && !contains(block, variable)) rest.set(variable, state[variable]);
  }
  return rest;
}

Value component_energy(const FactorGraph& graph, const Component& component, const State& rest, Index begin,
                       Index end, Elimination how, const EliminateOptions& options) {
  const Index n = rest.empty() ? 1 : rest.batch(), c = end - begin;
  const Placement placement = rest.empty() ? graph.placement() : rest.placement();
  const State states = enumerate_states(component.enumerated, begin, end, placement);
  State both;  // samples x states, made when first asked for
  const auto at_both = [&]() -> const State& {
    if (!both.empty() || component.enumerated.empty()) return component.enumerated.empty() ? rest : both;
    both = replicated(graph, rest, c);
    for (const Variable& variable : component.enumerated) {
      const Value tile = reshape(states[variable], {1, c, variable.size()});
      both.set(variable, reshape(broadcast_to(tile, {n, c, variable.size()}), batched(variable, n * c)));
    }
    return both;
  };

  const std::size_t inner = inner_of(component).size();
  Sum sum{
      {}, std::vector<Value>(inner), std::vector<Value>(inner), std::vector<Value>(component.chains.size())};
  for (const Rows rows : {Rows::Samples, Rows::States, Rows::Both}) {
    bool any = rows == Rows::Samples;
    const FactorGraph part = graph.weighted([&](std::size_t, const FactorGraph::Term& term) {
      const bool here = rows_of(term, component, rest) == rows;
      any = any || here;
      return here ? term.weight : 0.0;
    });
    if (!any) continue;
    const std::array<Index, 2> lead{rows == Rows::States ? 1 : n, rows == Rows::Samples ? 1 : c};
    add(sum, part, component, rows == Rows::Samples ? rest : rows == Rows::States ? states : at_both(), lead);
  }

  Expansion all{as_rows(sum.energy, n, c), {}, {}};
  for (std::size_t i = 0; i < component.units.size(); ++i) {
    const Value inside = units_inside(graph, component.units[i], rest);
    all.inside.push_back(inside.defined() ? replicated(inside, c) : inside);
    all.drive.push_back(as_rows(sum.drive[i], n, c));
    all.curvature.push_back(curvature_inside(
        sum.curvature[i].defined() ? as_rows(sum.curvature[i], n, c) : Value(), all.inside.back()));
  }
  require_positive(all.curvature, component.units);
  Value energy = closed_form(all, component.units, how);
  const Tensor& lengths = rest.context().lengths;
  for (std::size_t k = 0; k < component.chains.size(); ++k) {
    const ChainScores scores{as_rows(sum.drive[component.units.size() + k], n, c),
                             pairwise_rows(sum.pairwise[k], n, c)};
    const Tensor each = lengths.defined() ? replicated(lengths, c).tensor() : lengths;
    energy = energy - chain_total(scores, each, how);
  }
  if (!component.joint.empty()) {
    std::vector<Value> drives;
    for (std::size_t i = component.units.size() + component.chains.size(); i < inner; ++i)
      drives.push_back(as_rows(sum.drive[i], n, c));
    for (const JointPart& part : joint_parts(graph, component, at_both(), drives))
      energy = energy - (how == Elimination::Sum ? part.structure->log_sum(part.drives)
                                                 : part.structure->maximum(part.drives));
  }
  for (const Variable& variable : component.inferred) {
    energy = energy + searched_minimum(only_touching(graph, {variable}), variable, at_both(), options.infer);
  }
  return reshape(energy, {n, c});
}

std::vector<JointPart> joint_parts(const FactorGraph& graph, const Component& component, const State& at,
                                   const std::vector<Value>& drives) {
  std::vector<JointPart> parts;
  for (std::size_t i = 0; i < graph.terms().size(); ++i) {
    const auto& [factor, weight] = graph.terms()[i];
    if (weight == 0.0 || !is_joint(*factor, component.joint)) continue;
    JointPart part;
    for (const Variable& own : factor->scope()) {  // in the order in which the factor takes drives
      const auto found = std::find(component.joint.begin(), component.joint.end(), own);
      if (found == component.joint.end()) continue;
      part.variables.push_back(*found);
      part.drives.push_back(drives[static_cast<std::size_t>(found - component.joint.begin())]);
    }
    part.structure = factor->structure(part.variables, graph.seen_by(i, at), weight);
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<JointPart> joint_parts(const FactorGraph& graph, const Component& component, const State& at) {
  Component alone;
  alone.joint = component.joint;
  const std::size_t count = alone.joint.size();
  Sum sum{{}, std::vector<Value>(count), std::vector<Value>(count), {}};
  const Index rows = at.empty() ? 1 : at.batch();
  add(sum, only_touching(graph, alone.joint), alone, at, {rows, 1});
  std::vector<Value> drives;
  for (const Value& drive : sum.drive) drives.push_back(as_rows(drive, rows, 1));
  return joint_parts(graph, component, at, drives);
}

ChainScores chain_scores(const FactorGraph& graph, const Variable& variable, const State& rest) {
  Sum sum{{}, std::vector<Value>(1), std::vector<Value>(1), std::vector<Value>(1)};
  const Index rows = rest.empty() ? 1 : rest.batch();
  Component chain;
  chain.chains = {variable};
  add(sum, only_touching(graph, {variable}), chain, rest, {rows, 1});
  return {as_rows(sum.drive[0], rows, 1), pairwise_rows(sum.pairwise[0], rows, 1)};
}

Index states_at_once(const FactorGraph& graph, const Component& component, const State& rest,
                     const EliminateOptions& options) {
  Index numbers = 0;  // of one state of one sample
  for (const Variable& variable : component.all()) numbers += variable.size();
  for (const Variable& variable : component.chains) numbers += variable.size() * variable.shape.back();
  for (const Variable& variable : component.joint) numbers += variable.size() * variable.shape.back();
  for (const Variable& variable : component.inferred) numbers += 8 * variable.size();
  for (const FactorGraph::Term& term : graph.terms()) {
    if (rows_of(term, component, rest) != Rows::Both) continue;
    for (const Variable& variable : term.factor->scope()) numbers += variable.size();
  }
  constexpr Index kCopies = 8;  // that history holds, about
  const Index samples = rest.empty() ? 1 : rest.batch();
  const Index bytes = kCopies * numbers * std::max<Index>(samples, 1) *
                      static_cast<Index>(byte_size(rest.empty() ? Dtype::F64 : rest.placement().dtype));
  return std::clamp<Index>(static_cast<Index>(options.bytes) / std::max<Index>(bytes, 1), 1,
                           component.states);
}

Value eliminated(const FactorGraph& graph, const Component& component, const State& rest, Elimination how,
                 const EliminateOptions& options) {
  if (!component.tabulated.empty()) {
    const TableSum tables = tabulated(graph, component.tabulated, rest, options);
    return how == Elimination::Sum ? -tables.log_sum() : -tables.maximum();
  }
  const Index at_once = states_at_once(graph, component, rest, options);
  const auto total = [how](const Value& energies) {
    return how == Elimination::Sum ? -log_sum_exp(-energies, 1) : -max(-energies, 1);
  };
  const auto part = [=](const State& at, Index i) {
    const Index begin = i * at_once, end = std::min(begin + at_once, component.states);
    const Value energies = component_energy(graph, component, at, begin, end, how, options);
    return end - begin == 1 ? reshape(energies, {energies.dim(0)}) : total(energies);
  };
  if (at_once == component.states) return part(rest, 0);
  return total(recomputed(graph, rest, (component.states + at_once - 1) / at_once, part));
}

}  // namespace basin

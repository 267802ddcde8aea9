#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/marginal/enumerate.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr Index kPoints = 8;        // random points of block and rest
constexpr Index kSamples = 16;      // of the data
constexpr Index kPerSample = 16;    // points of the block at each,
constexpr Index kAnyLength = 3;     // of sequences where the data have none
constexpr Index kEveryState = 256;  // or all its states where they are so few

Key probe_key() { return Key(0).fold("check_no_interaction"); }

/// Random members of a variable's domain; bits are mostly 1, so that a product of two of them shows in most
/// points.
Tensor random_point(const Variable& variable, Key key, Index rows, Placement placement) {
  const Shape shape = batched(variable, rows);
  Conditional prior{
      variable, Tensor::full(shape, variable.domain == Domain::Binary ? 1.0 : 0.0, placement), {}};
  if (is_continuous(variable)) {
    prior.precision = Tensor::full(shape, 1.0, placement);
  }
  return prior.sample(key);
}

double largest(const Value& x) {
  double result = 0.0;
  for (const double value : x.tensor().values()) {
    result = std::isfinite(value) ? std::max(result, std::abs(value)) : INFINITY;
  }
  return result;
}

/// A factor's energy at rows of `state` beside its expansion in the members around 0.
struct Residual {
  Value actual, difference;
  double excess = 0.0;  // the largest difference that rounding does not explain
  bool finite = true;
};

Residual residual_of(const FactorGraph& one, const Block& members, const State& state) {
  const bool exact = state.placement().dtype == Dtype::F64;
  // Far above rounding, far below an interaction; the constant part only rounds.
  const double tolerance = exact ? 1e-9 : 1e-4, rounding = exact ? 1e-12 : 4e-6;
  const Expansion expansion = expand(one, members, state, {.whole = false, .partial = true});
  Residual result;
  result.actual = one.energy_touching(members, state);
  Value expected = expansion.energy;
  Value scale = abs(result.actual - expected).detached() * tolerance +
                (abs(result.actual) + abs(expected)).detached() * rounding;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Value& b = state[members[i]];
    const Value linear = expansion.drive[i] * b;
    expected = expected - sum_per_sample(linear);
    scale = scale + sum_per_sample(abs(linear)).detached() * tolerance;
    if (expansion.curvature[i].defined()) {
      const Value quadratic = sum_per_sample(expansion.curvature[i] * square(b)) * 0.5;
      expected = expected + quadratic;
      scale = scale + abs(quadratic).detached() * tolerance;
    }
  }
  result.difference = result.actual - expected;
  const std::vector<double> differences = result.difference.tensor().values(),
                            scales = scale.tensor().values();
  for (std::size_t n = 0; n < differences.size(); ++n) {
    if (!std::isfinite(scales[n] + differences[n])) result.finite = false;
    if (std::abs(differences[n]) > scales[n])
      result.excess = std::max(result.excess, std::abs(differences[n]));
  }
  return result;
}

/// A coupling whose weight is still zero leaves no residual, but a residual's derivative.
std::string coupling_parameter(const Factor& factor, const Residual& residual) {
  const std::vector<Parameter> parameters = factor.parameters();
  if (!residual.actual.tracked() || parameters.empty()) return "";
  const double tolerance = residual.actual.placement().dtype == Dtype::F64 ? 1e-9 : 1e-4;
  const Tensor weights = normal(probe_key().fold("weights"), {kPoints}, residual.actual.placement());
  std::vector<Value> leaves;
  for (const Parameter& parameter : parameters) {
    leaves.push_back(parameter.value());
  }
  const std::vector<Value> slopes = grad(sum(abs(weights) * residual.actual), leaves);
  const std::vector<Value> residual_slopes = grad(sum(residual.difference * weights), leaves);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (largest(residual_slopes[i]) > tolerance * (1.0 + largest(slopes[i]))) return parameters[i].name();
  }
  return "";
}

/// Points of many sizes: bits that are mostly 0, mixed or mostly 1 in a row, numbers that are small or large.
Value spread_points(const Variable& variable, Index rows, Key base, Placement placement) {
  const Key key = base.fold(variable.name);
  if (variable.domain == Domain::Categorical)
    return largest(Value(uniform(key, batched(variable, rows), placement)), 1);
  constexpr std::array<double, 4> chances{0.9, 0.5, 0.73, 0.1}, sizes{1.0, 0.1, 16.0, 256.0};
  std::vector<double> each(static_cast<std::size_t>(rows));
  for (std::size_t n = 0; n < each.size(); ++n)
    each[n] = (variable.domain == Domain::Binary ? chances : sizes)[n % chances.size()];
  const Value numbers = Tensor::from(each, {rows}, placement);
  if (variable.domain == Domain::Binary) {
    const Value draws = uniform(key, batched(variable, rows), placement);
    return step(per_sample(numbers, draws) - draws);
  }
  const Value draws = normal(key, batched(variable, rows), placement);
  return per_sample(numbers, draws) * (variable.domain == Domain::Real ? draws : abs(draws));
}

/// Rows of the data with points of the members: the first samples with many points each, the data's own among
/// them, or, at a call > 0, all samples with one point that is another at every call. Random values of what
/// the data lacks.
State around_data(const FactorGraph& graph, const Factor& factor, const Block& members, const State& data,
                  Index call) {
  const Index rows = call > 0 ? data.batch() : std::min(data.batch(), kSamples * data.context().replicas);
  const Key key = probe_key().fold("data").fold(static_cast<std::uint64_t>(call));
  const Placement placement = data.placement();
  const bool every = call == 0 && log2_states(members) <= std::log2(kEveryState);
  const Index points = call > 0 ? 1 : every ? state_count(members) : kPerSample;
  State at = replicated(graph, first_samples(graph, data, rows), points);
  const State all = every ? enumerate_states(members, 0, points, placement) : State();
  for (const Variable& each : factor.scope()) {
    const Variable variable = resolved(graph, each, data, kAnyLength);
    if (every && contains(members, variable)) {
      at.set(variable, concat(std::vector<Value>(static_cast<std::size_t>(rows), all[variable]), 0));
    } else if (!at.has(variable)) {
      at.set(variable, spread_points(variable, at.batch(), key, placement));
    } else if (contains(members, variable)) {
      std::vector<double> own(static_cast<std::size_t>(at.batch()), 0.0);
      for (std::size_t n = 0; points > 1 && n < own.size(); n += static_cast<std::size_t>(points))
        own[n] = 1.0;
      const Value keep = per_sample(Tensor::from(own, {at.batch()}, placement), at[variable]);
      const Value spread = spread_points(variable, at.batch(), key, placement);
      at.set(variable, keep * at[variable].detached() + (1.0 - keep) * spread);
    }
  }
  return at;
}

const char* expansion_name(const Block& members) {
  return std::any_of(members.begin(), members.end(), is_continuous) ? "separable quadratic" : "affine";
}

bool declared(const Factor& factor, const Block& members) {
  return std::all_of(members.begin(), members.end(), [&](const Variable& variable) {
    return factor.order_in(variable) != Order::Undeclared;
  });
}

/// What couples members at the rows of `at`.
std::string coupling_on(const FactorGraph& one, const Factor& factor, const Block& members, const State& at) {
  const Residual residual = residual_of(one, members, at);
  if (residual.finite && residual.excess == 0.0) return "";
  return fmt::format("on the data at hand the energy of {} differs by {:.3g} from the best {} expansion",
                     factor.name(), residual.finite ? residual.excess : INFINITY, expansion_name(members));
}

using Coupling = std::string (*)(const FactorGraph&, std::size_t, const Block&, const State&);

void refuse_coupled(const FactorGraph& graph, const Block& block, const State& data, Coupling coupled) {
  require_block(graph, block, "conditional");
  for (std::size_t i = 0; i < graph.terms().size(); ++i) {
    const Block members = members_of(*graph.terms()[i].factor, block);
    if (graph.terms()[i].weight == 0.0 || members.empty()) continue;
    if (const std::string reason = coupled(graph, i, members, data); !reason.empty()) {
      throw Error(
          fmt::format("[conditional] block {} interacts with itself; {}; move interacting variables in "
                      "different blocks, or this block by another transition",
                      to_string(block), reason));
    }
  }
}

}  // namespace

std::shared_ptr<const Factor> probed(const FactorGraph& graph, std::size_t term) {
  const std::shared_ptr<const Factor>& factor = graph.terms()[term].factor;
  std::shared_ptr<const Factor> plain = factor->without_row_scales();
  return plain ? plain : factor;
}

FactorGraph alone(const FactorGraph& graph, std::size_t term) {
  FactorGraph one =
      graph.weighted([&](std::size_t i, const FactorGraph::Term&) { return i == term ? 1.0 : 0.0; });
  const std::shared_ptr<const Factor> plain = graph.terms()[term].factor->without_row_scales();
  return plain ? one.scaled(0.0).add(plain) : one;
}

Block members_of(const Factor& factor, const Block& block) {
  Block members;
  const Block scope = factor.scope();
  for (const Variable& variable : block) {
    if (contains(scope, variable)) members.push_back(variable);
  }
  return members;
}

std::string coupling(const FactorGraph& graph, std::size_t term, const Block& members, const State& data) {
  const Factor& factor = *probed(graph, term);
  for (const Variable& variable : members) {
    const Order order = factor.order_in(variable);
    if (order == Order::Any || order == Order::Chain)
      return fmt::format("{} is not a sum over the units of {}", factor.name(), variable.name);
    if (order == Order::Quadratic && !is_continuous(variable))
      return fmt::format("{} is quadratic, not affine, in {}, which is {}", factor.name(), variable.name,
                         to_string(variable.domain));
  }
  const FactorGraph one = alone(graph, term);
  const Placement placement = data.empty() ? graph.placement() : data.placement();
  State random;
  for (const Variable& each : factor.scope()) {
    const Variable variable = resolved(graph, each, data, kAnyLength);
    random.set(variable, random_point(variable, probe_key(), kPoints, placement));
  }
  const Residual residual = residual_of(one, members, random);
  if (!residual.finite) {
    throw Error(
        fmt::format("[conditional] the energy of block {} is not finite at a random point of its domain; "
                    "check the parameters of {}",
                    to_string(members), factor.name()));
  }
  if (residual.excess > 0.0) {
    return fmt::format("at a random point the energy of {} differs by {:.3g} from the best {} expansion",
                       factor.name(), residual.excess, expansion_name(members));
  }
  if (const std::string name = coupling_parameter(factor, residual); !name.empty())
    return fmt::format("a change of parameter {} would couple its members", name);
  if (data.empty() || data.batch() == 0 || (members.size() == 1 && declared(factor, members))) return "";
  return coupling_on(one, factor, members, around_data(graph, factor, members, data, 0));
}

std::string known_coupling(const FactorGraph& graph, std::size_t term, const Block& members,
                           const State& data) {
  const std::shared_ptr<const Factor> factor = probed(graph, term);
  std::vector<int> places;
  for (const Variable& variable : members) places.push_back(variable.index);
  const std::optional<ProbeMemory::Known> known = graph.probes().recall(factor, places);
  std::string reason;
  if (known && (known->lasting || data.empty() || data.batch() == 0)) return known->reason;
  if (known && !known->in_full()) {
    reason = coupling_on(alone(graph, term), *factor, members,
                         around_data(graph, *factor, members, data, known->call));
    if (reason.empty()) return reason;
  } else {
    reason = coupling(graph, term, members, data);
  }
  const bool lasting = !reason.empty() || (members.size() == 1 && declared(*factor, members));
  graph.probes().learn(factor, places, reason, lasting);
  return reason;
}

bool stays_apart(const FactorGraph& graph, const Block& block, const State& data) {
  for (std::size_t i = 0; i < graph.terms().size(); ++i) {
    const Block members = members_of(*graph.terms()[i].factor, block);
    if (graph.terms()[i].weight != 0.0 && !members.empty() &&
        !known_coupling(graph, i, members, data).empty())
      return false;
  }
  return true;
}

void check_no_interaction(const FactorGraph& graph, const Block& block, const State& data) {
  refuse_coupled(graph, block, data, coupling);
}

void require_no_interaction(const FactorGraph& graph, const Block& block, const State& data) {
  refuse_coupled(graph, block, data, known_coupling);
}

}  // namespace basin

#include "energy/marginal/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/marginal/enumerate.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr Index kPoints = 8;    // random points of block and rest, where orders are declared
constexpr Index kSamples = 16;  // of the data
constexpr Index kInFull = 256;  // points of the block, at all of these together; of large ones fewer, so
constexpr Index kNumbers = Index{1} << 22;  // that all points hold no more numbers,
constexpr Index kAtLeast = 16;
constexpr Index kLightly = 64;   // of a call that is not in full, where the data are so few
constexpr Index kAnyLength = 3;  // of sequences where the data have none
constexpr Index kEveryState =
    4096;  // all states instead, with those of what the data lack, where they are so few

bool is_none(const State& data) { return data.empty() || data.batch() == 0; }

double largest(const Value& x) {
  double result = 0.0;
  for (const double value : x.tensor().values()) {
    result = std::isfinite(value) ? std::max(result, std::abs(value)) : INFINITY;
  }
  return result;
}

/// What is probed: one factor, its members and, of Apart, whose values their curvature may not depend on.
struct Probe {
  FactorGraph one;  // the factor alone, at weight 1
  const Factor& factor;
  Block members, others;
  Question question;
  Index steps = kAnyLength;  // of sequences, at random points too
};

/// E at base + step beside its expansion around base, curvatures of which are read at `curved`.
struct Points {
  State base, step, curved;
};

/// Points of a domain, [rows, shape...]; where `wide` of many sizes: bits that are mostly 0, mixed or mostly
/// 1 in a row, numbers that are small or large.
Value points_in(const Variable& variable, Index rows, Key base, Placement placement, bool wide) {
  const Key key = base.fold(variable.name);
  const Shape shape = batched(variable, rows);
  if (variable.domain == Domain::Categorical) return largest(Value(uniform(key, shape, placement)), 1);
  constexpr std::array<double, 4> chances{0.9, 0.5, 0.73, 0.1}, sizes{1.0, 0.1, 16.0, 256.0};
  const bool bits = variable.domain == Domain::Binary;
  std::vector<double> each(static_cast<std::size_t>(rows), 1.0);
  for (std::size_t n = 0; n < each.size(); ++n) {
    if (bits || wide) each[n] = (bits ? chances : sizes)[n % chances.size()];
  }
  const Value draws = bits ? uniform(key, shape, placement) : normal(key, shape, placement);
  const Value numbers = per_sample(Tensor::from(each, {rows}, placement), draws);
  if (bits) return step(numbers - draws);
  return numbers * (variable.domain == Domain::Real ? draws : abs(draws));
}

/// Random means of a variable.
Value means_of(const Variable& variable, Index rows, Key key, Placement placement) {
  const Value draws = uniform(key.fold(variable.name), batched(variable, rows), placement);
  return variable.domain == Domain::Categorical ? softmax(3.0 * draws) : draws;
}

/// 1 at the members of one random unit (one-hot group) of each row.
Value one_unit(const Variable& z, Index rows, Key key, Placement placement) {
  const Index group = z.domain == Domain::Categorical ? z.shape.back() : 1, units = z.size() / group;
  const Value chosen = largest(Value(uniform(key, {rows, units}, placement)), 1);
  return reshape(broadcast_to(reshape(chosen, {rows, units, 1}), {rows, units, group}), batched(z, rows));
}

bool is_undeclared(const Probe& probe) {
  return std::any_of(probe.members.begin(), probe.members.end(), [&](const Variable& variable) {
    return probe.factor.order_in(variable) == Order::Undeclared;
  });
}

/// Random rows where there are no data; else rows of the data with points of the members: the first samples
/// with many points each, the data's own among them, or, at a call > 0, all samples with one point (few
/// samples with some) that is another at every call. Random values of what the data lack.
Points points_of(const Probe& probe, const State& data, Index call) {
  const FactorGraph& graph = probe.one;
  const Key key = Key(0).fold("probe").fold(static_cast<std::uint64_t>(call));
  const Placement placement = data.empty() ? graph.placement() : data.placement();
  const bool random = is_none(data), in_full = !random && call == 0;
  Block open = probe.members;  // what takes all its states together
  for (const Variable& each : probe.factor.scope()) {
    if (!is_continuous(each) && !contains(open, each) && (random || !data.has(each)))
      open.push_back(resolved(graph, each, data, probe.steps));
  }
  const bool every = call == 0 && (in_full || is_undeclared(probe)) && probe.question == Question::Apart &&
                     log2_states(open) <= std::log2(kEveryState);
  Index size = 1;
  for (const Variable& each : probe.factor.scope()) size += resolved(graph, each, data, probe.steps).size();
  const auto shared = [&](Index points, Index all) {
    return (std::clamp(kNumbers / size, kAtLeast, points) + all - 1) / all;
  };
  const Index times = every     ? state_count(open)
                      : random  ? 1
                      : in_full ? shared(kInFull, std::min(kSamples, data.batch()))
                                : shared(kLightly, data.batch());
  const Index samples = every ? std::clamp<Index>(kEveryState / times, 1, kSamples) : kSamples;
  Index rows = every ? samples * times : is_undeclared(probe) ? shared(kInFull, 1) : kPoints;
  State at;
  if (!random) {
    const Index some = in_full ? samples * data.context().replicas : data.batch();
    at = replicated(graph, first_samples(graph, data, some), times);
    rows = at.batch();
  }
  for (const Variable& each : probe.factor.scope()) {
    const Variable variable = resolved(graph, each, data, probe.steps);
    if (at.has(variable) && !contains(probe.members, variable)) continue;
    Value value = points_in(variable, rows, key, placement, !random);
    if (in_full && !every && at.has(variable)) {
      std::vector<double> own(static_cast<std::size_t>(rows), 0.0);
      for (std::size_t n = 0; n < own.size(); n += static_cast<std::size_t>(times)) own[n] = 1.0;
      const Value keep = per_sample(Tensor::from(own, {rows}, placement), value);
      value = keep * at[variable].detached() + (1.0 - keep) * value;
    }
    at.set(variable, value);
  }
  if (every) {
    const State all = enumerate_states(open, 0, times, placement);
    const auto copies = static_cast<std::size_t>(rows / times);
    for (const Variable& z : open) at.set(z, concat(std::vector<Value>(copies, all[z]), 0));
  }

  Points points{at, {}, {}};
  for (const Variable& z : probe.members) {
    Value base = zeros_like(at[z]), step = at[z];
    if (probe.question == Question::Lines) {
      base = means_of(z, rows, key.fold("from"), placement);
      step = one_unit(z, rows, key.fold("unit"), placement) *
             (means_of(z, rows, key.fold("to"), placement) - base);
    } else if (probe.question == Question::Convex) {
      base = at[z];
      step = points_in(z, rows, key.fold("to"), placement, true) - base;
    }
    points.base.set(z, base);
    points.step.set(z, step);
  }
  points.curved = points.base;
  for (const Variable& each : probe.others)
    points.curved.set(each, means_of(resolved(graph, each, data, probe.steps), rows, key, placement));
  return points;
}

struct Residual {
  Value actual, difference;
  double excess = 0.0;  // the largest difference that rounding does not explain; of Convex, below the tangent
  bool finite = true;
};

Residual residual_of(const Probe& probe, const Points& points) {
  const bool exact = points.base.placement().dtype == Dtype::F64, convex = probe.question == Question::Convex;
  // Far above rounding, far below an interaction; the constant part only rounds.
  const double tolerance = exact ? 1e-9 : 1e-4, rounding = exact ? 1e-12 : 4e-6;
  const ExpansionOptions options{.whole = false, .partial = true, .at_values = true};
  const Expansion expansion = expand(probe.one, probe.members, points.base, options);
  const std::vector<Value> curvature =
      probe.others.empty() ? expansion.curvature
                           : expand(probe.one, probe.members, points.curved, options).curvature;
  State moved = points.base;
  for (const Variable& z : probe.members) moved.set(z, points.base[z] + points.step[z]);
  Residual result;
  result.actual = probe.one.energy_touching(probe.members, moved);
  Value expected = expansion.energy;
  Value scale = abs(result.actual - expected).detached() * tolerance +
                (abs(result.actual) + abs(expected)).detached() * rounding;
  for (std::size_t i = 0; i < probe.members.size(); ++i) {
    const Value& u = points.step[probe.members[i]];
    const Value linear = expansion.drive[i] * u;
    expected = expected - sum_per_sample(linear);
    scale = scale + sum_per_sample(abs(linear)).detached() * tolerance;
    if (!convex && curvature[i].defined()) {
      const Value quadratic = sum_per_sample(curvature[i] * square(u)) * 0.5;
      expected = expected + quadratic;
      scale = scale + abs(quadratic).detached() * tolerance;
    }
  }
  result.difference = result.actual - expected;
  const std::vector<double> differences = result.difference.tensor().values(),
                            scales = scale.tensor().values();
  for (std::size_t n = 0; n < differences.size(); ++n) {
    const double size = convex ? -differences[n] : std::abs(differences[n]);
    if (!std::isfinite(scales[n] + differences[n])) result.finite = false;
    if (size > scales[n]) result.excess = std::max(result.excess, size);
  }
  return result;
}

/// A coupling whose weight is still zero leaves no residual, but a residual's derivative.
std::string coupling_parameter(const Factor& factor, const Residual& residual) {
  const std::vector<Parameter> parameters = factor.parameters();
  if (!residual.actual.tracked() || parameters.empty()) return "";
  const double tolerance = residual.actual.placement().dtype == Dtype::F64 ? 1e-9 : 1e-4;
  const Tensor weights = normal(Key(0).fold("weights"), residual.actual.shape(), residual.actual.placement());
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

/// What the energy is not, at the rows of `data` or at random ones.
std::string found(const Probe& probe, const State& data, Index call) {
  const Points points = points_of(probe, data, call);
  const Residual residual = residual_of(probe, points);
  const bool random = is_none(data), convex = probe.question == Question::Convex;
  if (!residual.finite && !convex && random) {
    throw Error(
        fmt::format("[conditional] the energy of block {} is not finite at a random point of its domain; "
                    "check the parameters of {}",
                    to_string(probe.members), probe.factor.name()));
  }
  if (residual.excess > 0.0 || (!residual.finite && !convex)) {
    if (!probe.others.empty()) {
      return fmt::format("the curvature of {} in {} depends on {}", probe.factor.name(),
                         to_string(probe.members), to_string(probe.others));
    }
    const bool squares = std::any_of(probe.members.begin(), probe.members.end(), is_continuous);
    return fmt::format("{} the energy of {} differs by {:.3g} from {}",
                       random ? "at a random point" : "on the data at hand", probe.factor.name(),
                       residual.finite ? residual.excess : INFINITY,
                       convex                              ? "its tangent, to below it"
                       : probe.question == Question::Lines ? "one that is affine in each unit"
                       : squares                           ? "the best separable quadratic expansion"
                                                           : "the best affine expansion");
  }
  if (convex || call > 0) return "";
  const std::string name = coupling_parameter(probe.factor, residual);
  return name.empty() ? "" : fmt::format("a change of parameter {} would couple its members", name);
}

/// What orders say against it.
std::string declared_against(const Probe& probe) {
  if (probe.question != Question::Apart) return "";
  for (const Variable& variable : probe.members) {
    const Order order = probe.factor.order_in(variable);
    if (order == Order::Any || order == Order::Chain || order == Order::Joint)
      return fmt::format("{} is not a sum over the units of {}", probe.factor.name(), variable.name);
    if (order == Order::Quadratic && !is_continuous(variable))
      return fmt::format("{} is quadratic, not affine, in {}, which is {}", probe.factor.name(),
                         variable.name, to_string(variable.domain));
  }
  return "";
}

/// True where orders declare the answer, so that random points are a test enough.
bool is_declared(const Probe& probe) {
  if (probe.question == Question::Convex) return true;
  if (probe.question == Question::Lines) return probe.factor.order_in(probe.members.front()) == Order::Chain;
  return probe.members.size() == 1 && probe.others.empty() && !is_undeclared(probe);
}

/// What is probed for a term: where rows are scaled each by its own number, the factor that is scaled.
std::shared_ptr<const Factor> probed(const FactorGraph& graph, std::size_t term) {
  const std::shared_ptr<const Factor>& factor = graph.terms()[term].factor;
  std::shared_ptr<const Factor> plain = factor->without_row_scales();
  return plain ? plain : factor;
}

/// As long as a member or the data have sequences.
Index steps_of(const FactorGraph& graph, const Block& members, const State& data) {
  for (const Variable& declared : graph.variables()) {
    if (!declared.is_free()) continue;
    const auto member = std::find(members.begin(), members.end(), declared);
    const Shape known =
        (member != members.end() ? *member : resolved(graph, declared, data, kAnyLength)).shape;
    const auto free = std::find(declared.shape.begin(), declared.shape.end(), Index{0});
    const Index steps = known[static_cast<std::size_t>(free - declared.shape.begin())];
    if (steps != kAnyLength) return steps;
  }
  return kAnyLength;
}

/// Asks all terms that read one of the block; says why the first one couples members.
std::string what_couples(const FactorGraph& graph, const Block& block, const State& data) {
  for (std::size_t i = 0; i < graph.terms().size(); ++i) {
    const Block members = members_of(*graph.terms()[i].factor, block);
    if (graph.terms()[i].weight == 0.0 || members.empty()) continue;
    if (std::string reason = objection(graph, i, members, data); !reason.empty()) return reason;
  }
  return "";
}

}  // namespace

Block members_of(const Factor& factor, const Block& block) {
  Block members;
  const Block scope = factor.scope();
  for (const Variable& variable : block) {
    if (contains(scope, variable)) members.push_back(variable);
  }
  return members;
}

std::string objection(const FactorGraph& graph, std::size_t term, const Block& members, const State& data,
                      Question question, const Block& others) {
  const std::shared_ptr<const Factor> factor = probed(graph, term);
  std::vector<int> asked{static_cast<int>(question)};
  for (const Variable& variable : members) asked.push_back(variable.index);
  for (const Variable& variable : others) asked.push_back(-1 - variable.index);
  const std::optional<ProbeMemory::Known> known = graph.probes().recall(factor, asked);
  if (known && known->lasting) return known->reason;

  Probe probe{graph.scaled(0.0).add(factor), *factor, {}, others, question};
  for (const Variable& variable : members)
    probe.members.push_back(resolved(graph, variable, data, kAnyLength));
  probe.steps = steps_of(graph, probe.members, data);
  const bool declared = is_declared(probe);
  std::string reason;
  if (known && !known->in_full() && !is_none(data)) {
    reason = found(probe, data, known->call);
    if (reason.empty()) return reason;
  } else {
    reason = declared_against(probe);
    // Points of lines and tangents lie where the data are.
    if (reason.empty())
      reason = found(probe, question == Question::Apart && others.empty() ? State() : data, 0);
    if (reason.empty() && !declared && !is_none(data)) reason = found(probe, data, 0);
  }
  graph.probes().learn(factor, asked, reason, !reason.empty() || declared);
  return reason;
}

bool stays_apart(const FactorGraph& graph, const Block& block, const State& data) {
  return what_couples(graph, block, data).empty();
}

void require_no_interaction(const FactorGraph& graph, const Block& block, const State& data) {
  require_block(graph, block, "conditional");
  if (const std::string reason = what_couples(graph, block, data); !reason.empty()) {
    throw Error(
        fmt::format("[conditional] block {} interacts with itself; {}; move interacting variables in "
                    "different blocks, or this block by another transition",
                    to_string(block), reason));
  }
}

void require_multi_affine(const FactorGraph& graph, const Block& units, const State& data, const char* who) {
  for (std::size_t i = 0; i < graph.terms().size(); ++i) {
    if (graph.terms()[i].weight == 0.0) continue;
    const Factor& factor = *probed(graph, i);
    const Block members = members_of(factor, units);
    for (const Variable& z : members) {
      std::string reason = objection(graph, i, {z}, data);
      const Order order = factor.order_in(z);
      if (!is_continuous(z) && !reason.empty() && order != Order::Any && order != Order::Joint) {
        reason = objection(graph, i, {z}, data, Question::Lines);
      } else if (is_continuous(z) && reason.empty() && order != Order::Affine && members.size() > 1) {
        Block others = members;
        std::erase(others, z);
        reason = objection(graph, i, {z}, data, Question::Apart, others);
      }
      if (!reason.empty()) {
        throw Error(
            fmt::format("[{}] expected an energy that is affine, or a diagonal quadratic, in each unit of "
                        "{}, but {}; move it by another transition, or enumerate it (free_energy)",
                        who, z.name, reason));
      }
    }
  }
}

}  // namespace basin

#include "energy/marginal/multi_affine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr Index kLines = 64;  // through random units

/// Random means of a variable, [rows, shape...].
Value means_of(const Variable& variable, Key key, Index rows, Placement placement) {
  const Value draws = uniform(key.fold(variable.name), batched(variable, rows), placement);
  return variable.domain == Domain::Categorical ? softmax(3.0 * draws) : draws;
}

double largest_of(const Value& x) {
  double most = 0.0;
  for (const double value : x.tensor().values())
    most = std::isfinite(value) ? std::max(most, std::abs(value)) : INFINITY;
  return most;
}

/// Why the curvature of one term in units of z depends on other variables of q, or may after a step of a
/// parameter; empty where it does not.
std::string curvature_moves(const FactorGraph& graph, std::size_t term, const Variable& given,
                            const Block& others, const State& data) {
  const Key key = Key(0).fold("multi_affine").fold("curvature");
  const Factor& factor = *probed(graph, term);
  const FactorGraph one = alone(graph, term);
  State at = first_samples(graph, data, std::min<Index>(data.batch(), kLines));
  const Index rows = at.batch();
  const Placement placement = at.placement();
  const Variable z = resolved(graph, given, data, 3);
  for (const Variable& each : factor.scope()) {
    if (!at.has(each)) at.set(each, means_of(resolved(graph, each, data, 3), key, rows, placement));
  }
  const auto curvature = [&](Key draw) -> Value {
    const Value point = Value::leaf(means_of(z, key, rows, placement).tensor());
    State here = at.with(z, point);
    for (const Variable& each : others)
      here.set(each, means_of(resolved(graph, each, data, 3), draw, rows, placement));
    const Value energy = one.energy_touching({z}, here);
    if (!energy.tracked()) return zeros_like(point);
    const Value slope = grad(sum(energy), {point}, {.differentiable = true}).front();
    return slope.tracked() ? grad(sum(slope), {point}, {.differentiable = true}).front() : zeros_like(point);
  };
  const Value a = curvature(key.fold("a")), b = curvature(key.fold("b")), difference = a - b;
  const double tolerance = placement.dtype == Dtype::F64 ? 1e-9 : 1e-4;
  if (!(largest_of(difference) <= tolerance * (largest_of(a) + largest_of(b))))
    return fmt::format("the curvature of {} in {} depends on {}", factor.name(), z.name, to_string(others));
  const std::vector<Parameter> parameters = factor.parameters();
  if (parameters.empty() || !difference.tracked()) return "";
  std::vector<Value> leaves;
  for (const Parameter& parameter : parameters) leaves.push_back(parameter.value());
  const Value weights = normal(key.fold("weights"), a.shape(), placement);
  const std::vector<Value> slopes = grad(sum(weights * a), leaves),
                           moves = grad(sum(weights * difference), leaves);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!(largest_of(moves[i]) <= tolerance * (1.0 + largest_of(slopes[i]))))
      return fmt::format("a change of parameter {} would make its curvature in {} depend on {}",
                         parameters[i].name(), z.name, to_string(others));
  }
  return "";
}

/// True where the energy of one term is straight between two values of a unit (one-hot group) of z, its other
/// units at random means.
bool straight_in_units(const FactorGraph& graph, std::size_t term, const Variable& given, const State& data) {
  const Variable z = resolved(graph, given, data, 3);
  const Key key = Key(0).fold("multi_affine").fold(z.name);
  State at = first_samples(graph, data, std::min<Index>(data.batch(), kLines));
  const Index times = (kLines + at.batch() - 1) / at.batch();
  at = replicated(graph, at, times);
  const Placement placement = at.placement();
  const Index rows = at.batch(), group = z.domain == Domain::Categorical ? z.shape.back() : 1;
  for (const Variable& each : probed(graph, term)->scope()) {
    const Variable variable = resolved(graph, each, data, 3);
    if (variable == z || !at.has(variable)) at.set(variable, means_of(variable, key, rows, placement));
  }
  const std::vector<double> draws = uniform(key.fold("lines"), {3, rows}, {Dtype::F64, Device::Cpu}).values();
  std::vector<double> stays(static_cast<std::size_t>(rows * z.size()), 1.0), first(stays.size(), 0.0),
      second = first;
  for (Index n = 0; n < rows; ++n) {
    const auto pick = [&](Index draw, Index count) {
      return static_cast<Index>(draws[static_cast<std::size_t>(draw * rows + n)] *
                                static_cast<double>(count));
    };
    const Index begin = n * z.size() + pick(0, z.size() / group) * group;
    for (Index k = 0; k < group; ++k) stays[static_cast<std::size_t>(begin + k)] = 0.0;
    const Index a = pick(1, group), b = group > 1 ? (a + 1 + pick(2, group - 1)) % group : 0;
    first[static_cast<std::size_t>(begin + a)] = 1.0;
    if (group > 1) second[static_cast<std::size_t>(begin + b)] = 1.0;
  }
  const auto tensor = [&](const std::vector<double>& x) -> Value {
    return Tensor::from(x, batched(z, rows), placement);
  };
  const Value base = at[z] * tensor(stays), a = base + tensor(first), b = base + tensor(second);
  const FactorGraph one = alone(graph, term);
  const auto energy = [&](const Value& x) {
    return one.energy_touching({z}, at.with(z, x)).tensor().values();
  };
  const std::vector<double> ea = energy(a), eb = energy(b), middle = energy(0.5 * (a + b));
  const bool exact = placement.dtype == Dtype::F64;
  for (std::size_t n = 0; n < ea.size(); ++n) {
    const double bend = std::abs(0.5 * (ea[n] + eb[n]) - middle[n]);
    const double scale = std::abs(ea[n] - eb[n]) * (exact ? 1e-9 : 1e-4) +
                         (std::abs(ea[n]) + std::abs(eb[n])) * (exact ? 1e-12 : 4e-6);
    if (!(bend <= scale)) return false;
  }
  return true;
}

}  // namespace

void require_multi_affine(const FactorGraph& graph, const Block& units, const State& data, const char* who) {
  const bool any = !data.empty() && data.batch() > 0;
  for (std::size_t i = 0; i < graph.terms().size(); ++i) {
    if (graph.terms()[i].weight == 0.0) continue;
    const std::shared_ptr<const Factor> factor = probed(graph, i);
    const Block members = members_of(*factor, units);
    for (const Variable& z : members) {
      const Order order = factor->order_in(z);
      const auto refuse = [&](const std::string& reason) {
        throw Error(fmt::format(
            "[{}] expected an energy that is affine, or a diagonal quadratic, in each unit of {}, "
            "but {}; move it by another transition, or enumerate it (free_energy)",
            who, z.name, reason));
      };
      const std::string reason = known_coupling(graph, i, {z}, data);
      if (!reason.empty()) {
        const std::vector<int> place{z.index, -1};  // beside what is known of {z} itself
        std::optional<ProbeMemory::Known> known = graph.probes().recall(factor, place);
        if (any && !is_continuous(z) && order != Order::Any && (!known || !known->lasting)) {
          const bool straight = straight_in_units(graph, i, z, data);
          const bool lasting = !straight || order == Order::Chain;
          graph.probes().learn(factor, place, straight ? "" : reason, lasting);
          known = ProbeMemory::Known{straight ? "" : reason, lasting};
        }
        if (!known || !known->reason.empty()) refuse(reason);
      } else if (any && is_continuous(z) && order != Order::Affine && members.size() > 1) {
        std::vector<int> place{z.index, -2};
        Block others;
        for (const Variable& other : members) {
          if (other == z) continue;
          others.push_back(other);
          place.push_back(other.index);
        }
        std::optional<ProbeMemory::Known> known = graph.probes().recall(factor, place);
        if (!known || (!known->lasting && known->in_full())) {
          known = ProbeMemory::Known{curvature_moves(graph, i, z, others, data)};
          graph.probes().learn(factor, place, known->reason, !known->reason.empty());
        }
        if (!known->reason.empty()) refuse(known->reason);
      }
    }
  }
}

}  // namespace basin

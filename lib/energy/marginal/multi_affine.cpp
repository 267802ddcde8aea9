#include "energy/marginal/multi_affine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr Index kLines = 64;  // through random units

/// True where the energy of one term is straight between two values of a unit (one-hot group) of z, its other
/// units at random means.
bool straight_in_units(const FactorGraph& graph, std::size_t term, const Variable& given, const State& data) {
  const Variable z = resolved(graph, given, data, 3);
  const Key key = Key(0).fold("multi_affine").fold(z.name);
  State at = replicated(graph, first_samples(graph, data, std::min<Index>(data.batch(), kLines)), 1);
  const Index times = (kLines + at.batch() - 1) / at.batch();
  at = replicated(graph, at, times);
  const Placement placement = at.placement();
  const Index rows = at.batch(), group = z.domain == Domain::Categorical ? z.shape.back() : 1;
  const auto mean_of = [&](const Variable& variable) -> Value {
    const Value draws = uniform(key.fold(variable.name), batched(variable, rows), placement);
    return variable.domain == Domain::Categorical ? softmax(3.0 * draws) : draws;
  };
  for (const Variable& each : graph.terms()[term].factor->scope()) {
    const Variable variable = resolved(graph, each, data, 3);
    if (variable == z || !at.has(variable)) at.set(variable, mean_of(variable));
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
  const FactorGraph one =
      graph.weighted([&](std::size_t i, const FactorGraph::Term&) { return i == term ? 1.0 : 0.0; });
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
  for (std::size_t i = 0; i < graph.terms().size(); ++i) {
    const FactorGraph::Term& term = graph.terms()[i];
    for (const Variable& z : members_of(*term.factor, units)) {
      if (term.weight == 0.0) break;
      const std::string reason = known_coupling(graph, i, {z}, data);
      if (reason.empty()) continue;
      const bool discrete = !is_continuous(z) && !data.empty() && data.batch() > 0;
      const std::vector<int> place{z.index, -1};  // beside what is known of {z} itself
      std::optional<ProbeMemory::Known> known = graph.probes().recall(term.factor, place);
      if (discrete && term.factor->order_in(z) != Order::Any && (!known || !known->lasting)) {
        const bool straight = straight_in_units(graph, i, z, data);
        const bool lasting = !straight || term.factor->order_in(z) == Order::Chain;
        graph.probes().learn(term.factor, place, straight ? "" : reason, lasting);
        known = ProbeMemory::Known{straight ? "" : reason, lasting};
      }
      if (known && known->reason.empty()) continue;
      throw Error(
          fmt::format("[{}] expected an energy that is affine, or a diagonal quadratic, in each unit of {}, "
                      "but {}; move it by "
                      "another transition, or enumerate it (free_energy)",
                      who, z.name, reason));
    }
  }
}

}  // namespace basin

#include "energy/sample/discrete/gibbs_with_gradients.h"

#include <fmt/format.h>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "energy/sample/choose.h"
#include "energy/sample/discrete/units.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kAcceptance = "gibbs_with_gradients.acceptance";
constexpr double kNever = 1e30;  // below any logit, and finite, so that 0 times it is 0

/// What a state says of moves away from it.
struct Outlook {
  Value energy;      // [N]
  Value logits;      // [N, units]
  Value log_chance;  // of each unit, [N, units]
};

Outlook outlook(const FactorGraph& graph, const Block& units, const State& state) {
  State at = state;
  std::vector<Value> points;
  for (const Variable& variable : units) {
    points.push_back(Value::leaf(state[variable].tensor()));
    at.set(variable, points.back());
  }
  const Value energy = graph.energy_touching(units, at);
  std::vector<Value> falls;
  const std::vector<Value> slopes = energy.tracked() ? grad(sum(energy), points) : std::vector<Value>{};
  for (std::size_t v = 0; v < units.size(); ++v) {
    const Value x = points[v].detached(), g = slopes.empty() ? zeros_like(x) : slopes[v].detached();
    falls.push_back(units[v].domain == Domain::Binary
                        ? 0.5 * (2.0 * x - 1.0) * g
                        : 0.5 * (sum(x * g, {-1}, {.keep = true}) - g) - kNever * x);
  }
  Outlook seen{.energy = energy.detached(), .logits = side_by_side(falls), .log_chance = {}};
  seen.log_chance = log_softmax(seen.logits);
  return seen;
}

}  // namespace

GibbsWithGradients::GibbsWithGradients(Block units, GibbsWithGradientsOptions options)
    : units_(std::move(units)), options_(options) {
  require_domains("GibbsWithGradients", units_, {Domain::Binary, Domain::Categorical},
                  "move real ones by Langevin");
  if (options_.proposals < 1)
    throw Error(
        fmt::format("[GibbsWithGradients] expected at least 1 proposal, received {}", options_.proposals));
}

State GibbsWithGradients::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Block units = resolved(graph, units_, state);
  const Index first = state.context().own_row();
  const Variable choice{.name = "units", .domain = Domain::Categorical, .shape = {size_of(units)}};
  State at = state;
  for (const Variable& variable : units) at.set(variable, state[variable].detached());
  Outlook here = outlook(graph, units, at);
  Value taken = zeros_like(here.energy);
  for (Index i = 0; i < options_.proposals; ++i) {
    const Key own = key.fold(static_cast<std::uint64_t>(i));
    const Value drawn =
        Conditional{.variable = choice, .input = here.logits, .precision = {}, .first_row = first}.sample(
            own);
    const std::vector<Value> marks = parted(units, drawn);
    State proposed = at;
    std::vector<Value> back;  // the units whose choice leads from there to here
    for (std::size_t v = 0; v < units.size(); ++v) {
      const Value& x = at[units[v]];
      const bool binary = units[v].domain == Domain::Binary;
      const Value group = binary ? marks[v] : sum(marks[v], {-1}, {.keep = true});
      proposed.set(units[v], binary ? abs(x - marks[v]) : x * (1.0 - group) + marks[v]);
      back.push_back(binary ? marks[v] : x * group);
    }
    Outlook there = outlook(graph, units, proposed);
    const Value log_ratio = here.energy - there.energy +
                            dot_per_sample(side_by_side(back), there.log_chance) -
                            dot_per_sample(drawn, here.log_chance);
    const Value chosen = accepted(log_ratio, own.fold("accept"), first);
    for (const Variable& variable : units) {
      const Value& x = at[variable];
      at.set(variable, x + per_sample(chosen, x) * (proposed[variable] - x));
    }
    if (i + 1 < options_.proposals) {
      here = {choose(chosen, there.energy, here.energy), choose(chosen, there.logits, here.logits),
              choose(chosen, there.log_chance, here.log_chance)};
    }
    taken = taken + chosen;
  }
  return at.remember(kAcceptance, taken / static_cast<double>(options_.proposals));
}

Info GibbsWithGradients::info(const State& after) const {
  return {{"acceptance", after.recall(kAcceptance)}};
}

}  // namespace basin

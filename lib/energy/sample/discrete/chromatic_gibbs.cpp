#include "energy/sample/discrete/chromatic_gibbs.h"

#include <cmath>
#include <optional>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/probe.h"
#include "energy/sample/discrete/unit_colours.h"
#include "energy/sample/discrete/units.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kWho = "ChromaticGibbs";

/// 1 at the numbers of a colour, [1, shape...].
Value mask_of(const Variable& variable, const std::vector<int>& colours, int colour, Placement placement) {
  std::vector<double> mask;
  for (const int each : colours) mask.push_back(each == colour ? 1.0 : 0.0);
  return Tensor::from(mask, batched(variable, 1), placement);
}

/// Whether E(after) - E(before) is what the units change each by itself, to rounding. One download.
bool adds_up(const FactorGraph& graph, const Block& units, const Value& before, const State& after,
             const Value& expected, const Value& size) {
  const bool exact = before.placement().dtype == Dtype::F64;
  const double tolerance = exact ? 1e-9 : 1e-4, rounding = exact ? 1e-12 : 4e-6;
  const Value now = graph.energy_touching(units, after).detached();
  const Value allowed = tolerance * size + rounding * (abs(now) + abs(before) + 1e-6);
  for (const double excess : (abs(now - before - expected) - allowed).tensor().values()) {
    if (!(excess <= 0.0)) return false;
  }
  return true;
}

/// A sweep; nothing where units of a colour turned out to interact.
std::optional<State> swept(const FactorGraph& graph, const Block& units, const State& state,
                           const UnitColours& colours, Key key) {
  State at = state;
  for (const Variable& variable : units) at.set(variable, state[variable].detached());
  for (int colour = 0; colour < colours.count; ++colour) {
    State point = at;
    std::vector<Value> points;
    for (const Variable& variable : units) {
      points.push_back(Value::leaf(at[variable].tensor()));
      point.set(variable, points.back());
    }
    const Value energy = graph.energy_touching(units, point);
    const std::vector<Value> slopes = energy.tracked() ? grad(sum(energy), points) : std::vector<Value>{};
    State drawn = at;
    Value expected = zeros_like(energy.detached()), size = expected;
    for (std::size_t v = 0; v < units.size(); ++v) {
      const Value x = points[v].detached(), g = slopes.empty() ? zeros_like(x) : slopes[v].detached();
      const Value mask = mask_of(units[v], colours.of[v], colour, x.placement());
      const Value draw = Conditional{units[v], -g, {}, state.context().own_row()}.sample(
          key.fold(static_cast<std::uint64_t>(colour)));
      const Value move = mask * (draw - x);
      drawn.set(units[v], x + move);
      expected = expected + dot_per_sample(g, move);
      size = size + dot_per_sample(abs(g), abs(move));
    }
    if (!colours.lasting && !adds_up(graph, units, energy.detached(), drawn, expected, size))
      return std::nullopt;
    at = drawn;
  }
  return at;
}

}  // namespace

ChromaticGibbs::ChromaticGibbs(Block units) : units_(std::move(units)) {
  require_domains(kWho, units_, {Domain::Binary, Domain::Categorical},
                  "move real and non-negative ones by BlockGibbs or Langevin");
}

State ChromaticGibbs::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Block units = resolved(graph, units_, state);
  require_multi_affine(graph, units, state, kWho);
  for (const bool anew : {false, true}) {
    const auto colours = unit_colours(graph, units, state, kWho, anew);
    if (std::optional<State> moved = swept(graph, units, state, *colours, key)) return *moved;
  }
  throw Error(
      "[ChromaticGibbs] expected colours whose units do not interact, but the energy of a draw is not the "
      "sum "
      "of what its units change; move " +
      to_string(units_) + " by GibbsWithGradients or Metropolis");
}

}  // namespace basin

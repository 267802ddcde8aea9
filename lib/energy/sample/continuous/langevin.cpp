#include "energy/sample/continuous/langevin.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

Value clipped(const Value& slope, double limit) {
  if (std::isinf(limit)) return slope;
  const auto bound = [&](double at) { return Value(Tensor::full({1}, at, slope.placement())); };
  return minimum(maximum(slope, bound(-limit)), bound(limit));
}

void require_smooth(const FactorGraph& graph, const Block& moved) {
  for (const Variable& variable : moved) {
    for (const FactorGraph::Term& term : graph.touching(variable)) {
      if (term.factor->smooth_in(variable)) continue;
      throw Error(fmt::format(
          "[Langevin] expected an energy without walls and kinks in {}, received {}; move it by Mala or Hmc",
          variable.name, term.factor->name()));
    }
  }
}

}  // namespace

Langevin::Langevin(Block moved, LangevinOptions options)
    : moved_("Langevin", std::move(moved)), options_(options) {
  if (!(options_.step > 0.0 && std::isfinite(options_.step)) ||
      !(options_.noise >= 0.0 && std::isfinite(options_.noise)) || !(options_.clip > 0.0)) {
    throw Error(fmt::format(
        "[Langevin] expected a finite step > 0, a finite noise >= 0 and a clip > 0, received {}, {} and {}",
        options_.step, options_.noise, options_.clip));
  }
}

State Langevin::operator()(const FactorGraph& graph, const State& state, Key key) const {
  require_smooth(graph, moved_.variables());
  const Value q = moved_.vector(state);
  Value moved = q - options_.step * clipped(moved_.potential(graph, state, q).slope, options_.clip);
  const double spread = options_.noise * std::sqrt(2.0 * options_.step);
  if (spread > 0.0) moved = moved + spread * moved_.normals(graph, state, key);
  return moved_.with(graph, state, moved);
}

}  // namespace basin

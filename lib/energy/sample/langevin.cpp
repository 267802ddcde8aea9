#include "energy/sample/langevin.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {

Langevin::Langevin(Block moved, LangevinOptions options) : moved_(std::move(moved)), options_(options) {
  for (const Variable& variable : moved_) {
    if (variable.domain != Domain::Real) {
      throw Error(
          fmt::format("[Langevin] expected real variables, received {}, which is {}; move it by BlockGibbs",
                      variable.name, to_string(variable.domain)));
    }
  }
  if (moved_.empty() || !(options_.step > 0.0 && std::isfinite(options_.step)) ||
      !(options_.noise >= 0.0 && std::isfinite(options_.noise))) {
    throw Error(fmt::format(
        "[Langevin] expected a variable, a finite step > 0 and noise >= 0, received {}, {} and {}",
        to_string(moved_), options_.step, options_.noise));
  }
}

State Langevin::operator()(const FactorGraph& graph, const State& state, Key key) const {
  State at = state;
  std::vector<Value> points;
  for (const Variable& variable : moved_) {
    points.push_back(Value::leaf(state[variable].tensor()));
    at.set(variable, points.back());
  }
  const Value energy = graph.energy_touching(moved_, at);
  const std::vector<Value> slopes = energy.tracked() ? grad(sum(energy), points) : std::vector<Value>{};
  State moved = state;
  const double spread = options_.noise * std::sqrt(2.0 * options_.step);
  for (std::size_t i = 0; i < moved_.size(); ++i) {
    Value x = points[i].detached();
    if (!slopes.empty()) x = x - options_.step * slopes[i].detached();
    if (spread > 0.0) {
      const auto first =
          static_cast<std::uint64_t>(state.context().own_row() * resolved(graph, moved_[i], state).size());
      x = x + spread * Value(normal(key.fold(moved_[i].name), x.shape(), x.placement(), first));
    }
    moved.set(moved_[i], x);
  }
  return moved;
}

}  // namespace basin

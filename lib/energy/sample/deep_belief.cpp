#include "energy/sample/deep_belief.h"

#include <fmt/format.h>

#include "energy/marginal/conditional.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

Conditional given(const FactorGraph& graph, const Variable& known, const Value& x, const Variable& wanted,
                  const Context& context) {
  State state;
  state.in(context).set(known, as_values(known, x));
  return conditional(graph, {wanted}, state).front();
}

/// What has to be the same as the units above layer i.
const Variable& next_of(const DeepBelief& net, std::size_t i) {
  return i + 1 < net.layers.size() ? net.layers[i + 1].below : net.visible;
}

bool fits(const DeepBelief& net, std::size_t i) {
  const Variable &above = net.layers[i].above, &next = next_of(net, i);
  return above.domain == next.domain && above.size() == next.size();
}

}  // namespace

bool fits(const DeepBelief& net) {
  std::size_t i = 0;
  while (i < net.layers.size() && fits(net, i)) ++i;
  return i == net.layers.size();
}

void require_fits(const DeepBelief& net) {
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    const Variable &above = net.layers[i].above, &next = next_of(net, i);
    if (!fits(net, i)) {
      throw Error(
          fmt::format("[deep_belief] expected units above layer {} that are those below the next, {} {} "
                      "ones, received {} {} ones; give both the same units",
                      i, next.size(), to_string(next.domain), above.size(), to_string(above.domain)));
    }
  }
}

std::vector<Value> ascend(const DeepBelief& net, const State& samples, Key key) {
  std::vector<Value> x{samples[net.samples()].detached()};
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    const BeliefLayer& layer = net.layers[i];
    x.emplace_back(given(layer.up(), layer.below, x.back(), layer.above, samples.context())
                       .sample(key.fold(static_cast<std::uint64_t>(i))));
  }
  return x;
}

std::vector<Value> descend(const DeepBelief& net, const Value& visible, Key key, Bottom bottom,
                           const Context& context) {
  std::vector<Value> x(net.layers.size() + 1);
  x.back() = visible.detached();
  for (std::size_t i = net.layers.size(); i-- > 0;) {
    const BeliefLayer& layer = net.layers[i];
    const Conditional below = given(layer.generation, layer.above, x[i + 1], layer.below, context);
    x[i] = i == 0 && bottom == Bottom::Means ? below.mean().detached()
                                             : Value(below.sample(key.fold(static_cast<std::uint64_t>(i))));
  }
  return x;
}

}  // namespace basin

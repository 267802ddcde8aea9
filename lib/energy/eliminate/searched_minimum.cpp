#include "energy/eliminate/searched_minimum.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/marginal/probe.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/split.h"
#include "tensor/error.h"

namespace basin {
namespace {

[[noreturn]] void refuse(const Variable& z, const std::string& what) {
  throw Error(fmt::format(
      "[min_energy] {} cannot be minimised over safely: {}; infer() finds a local minimum", z.name, what));
}

void require_convex(const FactorGraph& graph, const Variable& z, const State& rest) {
  for (std::size_t i = 0; i < graph.terms().size(); ++i) {
    const auto& [factor, weight] = graph.terms()[i];
    if (weight == 0.0 || !contains(factor->scope(), z) || factor->order_in(z) == Order::Affine) continue;
    if (!factor->convex_in(z) || weight < 0.0)
      refuse(z, fmt::format("{} with weight {} is not known to be convex in it", factor->name(), weight));
    if (const std::string reason = objection(graph, i, {z}, rest, Question::Convex); !reason.empty())
      refuse(z, reason + ", against what it declares");
  }
}

/// The same number; its gradients may be had, but not differentiated.
Value once_differentiable(const Value& energy) {
  const Value::Rule second = [](std::size_t, const Value&, const std::vector<Value>&, const Value&) -> Value {
    throw Error(
        "[min_energy] expected an inferred minimum to be differentiated once, received a second derivative, "
        "in which the minimiser would move; unroll the inference, or use latents that have a closed form");
  };
  return Value::result(
      energy.tensor(), {energy},
      [second](std::size_t, const Value& gradient, const std::vector<Value>& inputs, const Value&) {
        if (!inputs[0].tracked()) return gradient;
        return Value::result(gradient.tensor(), {gradient, inputs[0]}, second);
      });
}

}  // namespace

Value searched_minimum(const FactorGraph& graph, const Variable& z, const State& rest,
                       const InferOptions& options) {
  if (rest.empty())
    throw Error(fmt::format("[min_energy] expected values of what {} explains, received none", z.name));
  require_convex(graph, z, rest);
  const StepRule rule = Split(graph, z).is_least_squares() ? StepRule::Lipschitz : StepRule::Backtracking;
  const Inferred inferred =
      infer(graph, z, Fista(z, {.rule = rule}), rest, options, Key(0).fold("min_energy"));
  if (const std::string text = warning(inferred, options); !text.empty())
    throw Error("[min_energy] expected inference of " + z.name + " to converge; " + text);
  return once_differentiable(graph.energy(rest.with(z, inferred.state[z].detached())));
}

}  // namespace basin

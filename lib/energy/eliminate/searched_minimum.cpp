#include "energy/eliminate/searched_minimum.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/split.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

[[noreturn]] void refuse(const Variable& z, const std::string& what) {
  throw Error(fmt::format(
      "[min_energy] {} cannot be minimised over safely: {}; infer() finds a local minimum", z.name, what));
}

void require_convex(const FactorGraph& graph, const Variable& z, const State& rest) {
  for (const FactorGraph::Term& term : graph.touching(z)) {
    const bool affine = term.factor->order_in(z) == Order::Affine;
    if (affine || (term.factor->convex_in(z) && term.weight > 0.0)) continue;
    refuse(z, fmt::format("{} with weight {} is not known to be convex in it", term.factor->name(),
                          term.weight));
  }
  // E((a + b) / 2) <= (E(a) + E(b)) / 2 at random points.
  const State few = first_samples(graph, rest, std::min<Index>(rest.batch(), 16 * rest.context().replicas));
  const Key key = Key(0).fold("convex");
  const auto point = [&](const char* name) {
    const Value x = Value(normal(key.fold(name), batched(z, few.batch()), few.placement())) * 4.0;
    return z.domain == Domain::NonNegative ? abs(x) : x;
  };
  const Value a = point("a"), b = point("b");
  const auto energy = [&](const Value& x) { return graph.energy(few.with(z, x)).detached(); };
  const Value ends = 0.5 * (energy(a) + energy(b)), middle = energy(0.5 * (a + b));
  const double tolerance = few.placement().dtype == Dtype::F64 ? 1e-9 : 1e-4;
  const std::vector<double> high = ends.tensor().values(), low = middle.tensor().values();
  for (std::size_t n = 0; n < high.size(); ++n) {
    if (low[n] > high[n] + tolerance * (1.0 + std::abs(high[n])))
      refuse(z, "its energy is not convex at random points, against what its factors declare");
  }
}

/// The same number; its gradients may be had, but not differentiated.
Value once_differentiable(const Value& energy) {
  const Value::Rule second = [](std::size_t, const Value&, const std::vector<Value>&, const Value&) -> Value {
    throw Error(
        "[min_energy] expected an inferred minimum to be differentiated once, received a second derivative, "
        "in which "
        "the minimiser would move; unroll the inference, or use latents that have a closed form");
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

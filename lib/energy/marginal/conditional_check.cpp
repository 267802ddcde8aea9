#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/conditional_expansion.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr Index kPoints = 8;

/// Random members of a variable's domain; bits are mostly 1, so that a product of two of them shows in most
/// points.
Tensor random_point(const Variable& variable, Key key, Placement placement) {
  Shape shape = variable.shape;
  shape.insert(shape.begin(), kPoints);
  Conditional prior{
      variable, Tensor::full(shape, variable.domain == Domain::Binary ? 1.0 : 0.0, placement), {}};
  if (is_continuous(variable)) {
    prior.precision = Tensor::full(shape, 1.0, placement);
  }
  return prior.sample(key);
}

double largest(const Value& x) {
  double result = 0.0;
  for (const double value : x.tensor().values()) {
    result = std::isfinite(value) ? std::max(result, std::abs(value)) : INFINITY;
  }
  return result;
}

[[noreturn]] void refuse(const Block& block, const std::string& what) {
  throw Error(
      fmt::format("[conditional] block {} interacts with itself; {}; move interacting variables in different "
                  "blocks, or this block by another "
                  "transition",
                  to_string(block), what));
}

}  // namespace

void check_no_interaction(const FactorGraph& graph, const Block& block) {
  const Placement placement = graph.placement();
  const double tolerance =
      placement.dtype == Dtype::F64 ? 1e-9 : 1e-4;  // far above rounding, far below an interaction
  const Key key = Key(0).fold("check_no_interaction");
  State state;
  for (const Variable& variable : graph.variables()) {
    state.set(variable, random_point(variable, key, placement));
  }

  const Expansion expansion = expand(graph, block, state, {.whole = false, .differentiable = true});
  const Value actual = graph.energy_touching(block, state);
  Value expected = expansion.energy;
  double scale = largest(actual) + largest(expected);
  for (std::size_t i = 0; i < block.size(); ++i) {
    const Value& b = state[block[i]];
    const Value linear = expansion.drive[i] * b;
    expected = expected - sum_per_sample(linear);
    scale += largest(sum_per_sample(abs(linear.detached())));
    if (expansion.curvature[i].defined()) {
      const Value quadratic = sum_per_sample(expansion.curvature[i] * square(b)) * 0.5;
      expected = expected + quadratic;
      scale += largest(quadratic);
    }
  }
  const Value residual = actual - expected;
  if (!std::isfinite(scale)) {
    throw Error(
        fmt::format("[conditional] the energy of block {} is not finite at a random point of its domain; "
                    "check the parameters",
                    to_string(block)));
  }
  if (const double error = largest(residual); error > tolerance * scale) {
    refuse(block,
           fmt::format(
               "at a random point its energy differs by {:.3g} from the best {} expansion", error,
               std::any_of(block.begin(), block.end(), is_continuous) ? "separable quadratic" : "affine"));
  }

  // A coupling whose weight is still zero leaves no residual, but a residual's derivative.
  if (!actual.tracked()) {
    return;
  }
  const Tensor weights = normal(key.fold("weights"), {kPoints}, placement);
  const std::vector<Parameter> parameters = graph.parameters();
  std::vector<Value> leaves;
  for (const Parameter& parameter : parameters) {
    leaves.push_back(parameter.value());
  }
  const std::vector<Value> residual_slopes = grad(sum(residual * weights), leaves);
  const std::vector<Value> slopes = grad(sum(abs(weights) * actual), leaves);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (largest(residual_slopes[i]) > tolerance * (1.0 + largest(slopes[i]))) {
      refuse(block, fmt::format("a change of parameter {} would couple its members", parameters[i].name()));
    }
  }
}

}  // namespace basin

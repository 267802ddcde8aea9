#include "energy/minimise/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr double kTiny = 1e-30;  // added to lengths that may be 0

// Ritz values lie below the largest eigenvalue, after 50 steps by less than half a percent even at the dense
// edge of a random matrix's spectrum.
constexpr double kAbove = 1.01;

/// The largest eigenvalue of a symmetric tridiagonal matrix with a diagonal and entries beside it, of which
/// the last is outside; NaN where a number is. By bisection between Gershgorin's bounds: x is above every
/// eigenvalue when all pivots of x - T are positive.
double largest_eigenvalue(std::span<const double> diagonal, std::span<const double> side) {
  double low = diagonal.front(), high = low;
  for (std::size_t i = 0; i < diagonal.size(); ++i) {
    low = std::max(low, diagonal[i]);
    high = std::max(high, diagonal[i] + side[i] + (i > 0 ? side[i - 1] : 0.0));
    if (std::isnan(diagonal[i] + side[i])) return diagonal[i] + side[i];
  }
  for (int halving = 0; halving < 60; ++halving) {
    const double x = 0.5 * (low + high);
    bool above = true;
    double pivot = 1.0;
    for (std::size_t i = 0; above && i < diagonal.size(); ++i) {
      pivot = x - diagonal[i] - (i > 0 ? side[i - 1] * side[i - 1] / pivot : 0.0);
      above = pivot > 0.0;
    }
    (above ? high : low) = x;
  }
  return high;
}

}  // namespace

Split::Split(const FactorGraph& graph, Variable z) : variable_(std::move(z)) {
  if (!graph.has(variable_)) {
    throw Error(
        fmt::format("[split] variable {} is not of this graph; use the variables that the graph returned",
                    variable_.name));
  }
  if (variable_.domain != Domain::Real && variable_.domain != Domain::NonNegative) {
    throw Error(
        fmt::format("[split] expected a real or non-negative variable, received {}, which is {}; use "
                    "BlockGibbs for discrete units",
                    variable_.name, to_string(variable_.domain)));
  }
  for (const Variable& variable : graph.variables())
    smooth_.variable(variable.name, variable.domain, variable.shape);
  for (const FactorGraph::Term& term : graph.touching(variable_)) {
    if (term.factor->smooth_in(variable_)) {
      smooth_.add(term.factor, term.weight);
      continue;
    }
    if (rough_ != nullptr) {
      throw Error(fmt::format(
          "[split] expected at most one factor of {} that needs a prox, received {} and {}; keep one of them",
          variable_.name, rough_->name(), term.factor->name()));
    }
    if (term.weight < 0.0) {
      throw Error(fmt::format(
          "[split] expected a weight >= 0 of {}, which inference minimises by its prox, received {}",
          term.factor->name(), term.weight));
    }
    rough_ = term.factor;
    rough_weight_ = term.weight;
  }
  const std::vector<TermOf<SquaredError>> errors = smooth_.factors<SquaredError>();
  is_least_squares_ =
      !errors.empty() && errors.size() == smooth_.terms().size() &&
      std::all_of(errors.begin(), errors.end(), [&](const TermOf<SquaredError>& term) {
        const SquaredError& error = *term.factor;
        return term.weight > 0.0 && (!(error.source() == variable_) || error.module().is_affine());
      });
}

std::optional<double> Split::l1_weight() const {
  const auto* l1 = dynamic_cast<const L1*>(rough_.get());
  return l1 != nullptr ? std::optional(rough_weight_ * l1->strength()) : std::nullopt;
}

Value Split::smooth_energy(const State& state, Value* gradient) const {
  if (gradient == nullptr) return smooth_.energy(state);
  const Value& given = state[variable_];
  const Value z = given.tracked() ? given : Value::leaf(given.tensor());
  Value energy = smooth_.energy(state.with(variable_, z));
  *gradient = energy.tracked() ? grad(sum(energy), {z}, {.differentiable = true}).front() : zeros_like(z);
  return energy;
}

Value Split::rough_energy(const State& state) const {
  if (rough_ == nullptr) return Tensor::zeros({state.batch()}, state[variable_].placement());
  return rough_->energy(state) * rough_weight_;
}

Value Split::prox(const Value& value, const Value& step) const {
  if (rough_ == nullptr) return variable_.domain == Domain::NonNegative ? relu(value) : value;
  std::optional<Value> result = rough_->prox(variable_, value, step * rough_weight_);
  if (!result) {
    throw Error(fmt::format("[split] {} is not smooth in {} and has no prox; give it one, or make it smooth",
                            rough_->name(), variable_.name));
  }
  return *std::move(result);
}

double lipschitz(const Split& split, const State& state, Key key, Index iterations) {
  if (iterations < 1)
    throw Error(fmt::format("[lipschitz] expected iterations >= 1, received {}", iterations));
  // A quadratic function has one Hessian for all samples; a few of them then are a few starts.
  const Variable& z = split.variable();
  State at = split.is_least_squares() ? first_samples(split.smooth(), state, 4) : state;
  at.set(z, Value::leaf(at[z].tensor()));
  const Value point = at[z];
  const Value energy = split.smooth_energy(at);
  if (!energy.tracked()) return 0.0;
  const Value gradient = grad(sum(energy), {point}, {.differentiable = true}).front();
  if (!gradient.tracked()) return 0.0;

  // The projections of the Hessian on Krylov spaces, one tridiagonal matrix a sample.
  const auto samples = static_cast<std::size_t>(point.dim(0));
  std::vector<Value> diagonals, sides;  // [N] of each iteration
  Value direction = normal(key, point.shape(), point.placement()), before = zeros_like(direction);
  Value length = sqrt(dot_per_sample(direction, direction));
  direction = direction / per_sample(length, direction);
  const Index most = std::min(iterations, z.size());
  for (Index i = 0; i < most; ++i) {
    Value image = vector_jacobian_product(gradient, direction, {point}).front();
    const Value diagonal = dot_per_sample(direction, image);
    image = image - per_sample(diagonal, image) * direction;
    if (i > 0) image = image - per_sample(length, image) * before;
    length = sqrt(dot_per_sample(image, image));
    diagonals.push_back(diagonal);
    sides.push_back(length);
    before = direction;
    direction = image / per_sample(length + kTiny, image);
  }
  if (diagonals.empty()) return 0.0;
  diagonals.insert(diagonals.end(), sides.begin(), sides.end());
  const std::vector<double> both =
      stack(diagonals, 1).tensor().values();  // [N, 2 most]: nothing waits before
  const auto rows = static_cast<std::size_t>(most);
  double largest = 0.0;
  for (std::size_t n = 0; n < samples && !std::isnan(largest); ++n) {
    const std::span<const double> own(both.data() + 2 * rows * n, 2 * rows);
    const double one = largest_eigenvalue(own.first(rows), own.last(rows));
    if (!(one <= largest)) largest = one;
  }
  return kAbove * largest;
}

}  // namespace basin

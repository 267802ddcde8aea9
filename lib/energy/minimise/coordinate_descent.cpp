#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/split.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kDiagonal = "coordinate_descent.diagonal";
constexpr Index kMostUnits = 1 << 14;             // above, the diagonal alone takes minutes
constexpr Index kNumbersAtOnce = Index{1} << 22;  // of the unit vectors that are tried together

/// H_ii of a quadratic smooth part, of z's shape: u'H u for every unit vector u. Coordinates that f does not
/// read get a tiny positive number, so that the prox alone decides them.
Tensor hessian_diagonal(const Split& split, const State& state) {
  const Variable& z = split.variable();
  const State first = first_samples(split.smooth(), state, 1);
  const Index size = z.size();
  if (size > kMostUnits) {
    throw Error(
        fmt::format("[CoordinateDescent] expected at most {} coordinates of {} where no rewrite rule knows "
                    "the energy, received {}; "
                    "use Fista instead",
                    kMostUnits, z.name, size));
  }
  std::vector<double> diagonal;
  const Index at_once = std::max<Index>(1, kNumbersAtOnce / size);
  for (Index begin = 0; begin < size; begin += at_once) {
    const Index count = std::min(at_once, size - begin);
    State at;
    for (const Variable& variable : split.smooth().variables()) {
      if (!first.has(variable)) continue;
      at.set(variable, broadcast_to(first[variable], batched(variable, count)).detached());
    }
    std::vector<double> units(static_cast<std::size_t>(count * size), 0.0);
    for (Index i = 0; i < count; ++i) units[static_cast<std::size_t>(i * size + begin + i)] = 1.0;
    const Value point = Value::leaf(at[z].tensor());
    at.set(z, point);
    const Value direction = Tensor::from(units, point.shape(), point.placement());
    const Value image = hessian_vector_product(sum(split.smooth_energy(at)), {point}, {direction}).front();
    for (const double entry : dot_per_sample(direction, image).tensor().values()) diagonal.push_back(entry);
  }
  const double largest = *std::max_element(diagonal.begin(), diagonal.end());
  if (!(largest > 0.0)) {
    throw Error(
        fmt::format("[CoordinateDescent] expected curvature in {}, received a Hessian whose largest diagonal "
                    "entry is {}; check the "
                    "parameters",
                    z.name, largest));
  }
  for (double& entry : diagonal) entry = std::max(entry, 1e-12 * largest);
  return Tensor::from(diagonal, z.shape, state[z].placement());
}

}  // namespace

State CoordinateDescent::operator()(const FactorGraph& graph, const State& state, Key) const {
  const Split split(graph, variable_);
  if (!split.is_least_squares()) {
    throw Error(
        fmt::format("[CoordinateDescent] expected squared errors of affine modules as the smooth energy of "
                    "{}; use Fista instead",
                    variable_.name));
  }
  if (split.rough() != nullptr && !split.rough()->separable_in(variable_)) {
    throw Error(
        fmt::format("[CoordinateDescent] expected a prox of each coordinate of {} by itself, received {}; "
                    "use Fista instead",
                    variable_.name, split.rough()->name()));
  }
  const Value& z = state[variable_];
  Value diagonal = state.recall(kDiagonal);
  if (!diagonal.defined()) diagonal = broadcast_to(hessian_diagonal(split, state), z.shape()).detached();
  Value gradient;
  split.smooth_energy(state, &gradient);
  const Value best = split.prox(z - gradient / diagonal, reciprocal(diagonal));
  const Value chosen = as_values(variable_, largest(flatten(abs(best - z).detached()), 1));
  State moved = state;
  moved.set(variable_, chosen * best + (1.0 - chosen) * z);
  moved.remember(kDiagonal, std::move(diagonal));
  return moved;
}

}  // namespace basin

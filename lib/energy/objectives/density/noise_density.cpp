#include "energy/objectives/density/noise_density.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "energy/demanded.h"
#include "energy/eliminate/eliminate.h"
#include "energy/eliminate/sample_eliminated.h"
#include "energy/factors/bias.h"
#include "energy/factors/quadratic.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr const char* kMean = "noise_mean";
constexpr const char* kPrecision = "noise_precision";
constexpr double kLeastVariance = 1e-6;
constexpr double kPrior = 0.1;  // samples of each value that a bit is thought to have had before

}  // namespace

GraphDensity::GraphDensity(FactorGraph graph, Block x) : graph_(std::move(graph)), x_(std::move(x)) {
  for (const Variable& variable : x_) {
    if (graph_.has(variable) && !variable.is_free()) continue;
    throw Error(
        fmt::format("[noise_density] expected {} of a fixed shape in its graph, received another; "
                    "build it over_same_variables()",
                    variable.name));
  }
  rows_ = graph_.real("noise_density.rows", {1});
}

Value GraphDensity::log_density(const State& state) const {
  State own;
  for (const Variable& variable : x_) own.set(variable, state[variable]);
  return (free_energy(graph_, x_, {}) - free_energy(graph_, {}, own)).detached();
}

State GraphDensity::draw(Index rows, Index first_row, Placement placement, Key key) const {
  Context context;
  context.first_row = first_row;
  const State asked = State().in(context).set(rows_, Tensor::zeros({rows, 1}, placement));
  const State drawn = sample_eliminated(graph_, x_, asked, key);
  State result;
  for (const Variable& variable : x_) result.set(variable, drawn[variable].detached());
  return result;
}

UniformDensity::UniformDensity(Variable x, double low, double high)
    : x_(std::move(x)), low_(low), high_(high) {
  if (x_.domain != Domain::Real || x_.is_free() || !(low < high) || !std::isfinite(high - low)) {
    throw Error(
        fmt::format("[noise_density] expected a real variable and low < high of a box, received {}, "
                    "which is {}, {} and {}",
                    x_.name, to_string(x_.domain), low, high));
  }
}

Value UniformDensity::log_density(const State& state) const {
  const Value x = state[x_].detached();
  demand_none("noise_density " + x_.name, relu(low_ - x) + relu(x - high_),
              fmt::format("[noise_density] expected samples inside [{}, {}], received others, which the "
                          "noise never draws; take a larger box or a Gaussian",
                          low_, high_));
  return Tensor::full({x.dim(0)}, -std::log(high_ - low_) * static_cast<double>(x_.size()), x.placement());
}

State UniformDensity::draw(Index rows, Index first_row, Placement placement, Key key) const {
  const auto first = static_cast<std::uint64_t>(first_row * x_.size());
  const Value unit = uniform(key.fold(x_.name), batched(x_, rows), placement, first);
  return State().set(x_, low_ + (high_ - low_) * unit);
}

FactorGraph over_same_variables(const FactorGraph& graph) {
  FactorGraph same;
  for (const Variable& variable : graph.variables())
    same.variable(variable.name, variable.domain, variable.shape);
  return same;
}

FactorGraph independent_density(const FactorGraph& graph, const Block& x) {
  FactorGraph density = over_same_variables(graph);
  for (const Variable& variable : x) {
    if (variable.domain != Domain::Real && variable.domain != Domain::Binary) {
      throw Error(
          fmt::format("[noise_density] expected real or binary variables, received {}, which is {}; "
                      "give a graph of your own",
                      variable.name, to_string(variable.domain)));
    }
    density.add(Bias(variable, {.label = kMean}));
    if (variable.domain == Domain::Real) density.add(Quadratic(variable, {.label = kPrecision}));
  }
  return density;
}

void fit_independent(const FactorGraph& density, const Block& x, const State& samples) {
  const auto rows = static_cast<double>(samples.batch());
  if (rows < 2.0) throw Error(fmt::format("[noise_density] expected at least 2 samples, received {}", rows));
  for (const Variable& variable : x) {
    const auto size = static_cast<std::size_t>(variable.size());
    const std::vector<double> all = samples[variable].tensor().values();
    std::vector<double> mean(size, 0.0), variance(size, 0.0), bias, log_precision;
    for (std::size_t i = 0; i < all.size(); ++i) mean[i % size] += all[i] / rows;
    for (std::size_t i = 0; i < all.size(); ++i)
      variance[i % size] += std::pow(all[i] - mean[i % size], 2) / rows;
    for (std::size_t i = 0; i < size; ++i) {
      const double spread = std::max(variance[i], kLeastVariance), on = mean[i] * rows + kPrior;
      bias.push_back(variable.domain == Domain::Real ? mean[i] / spread
                                                     : std::log(on / (rows * (1.0 - mean[i]) + kPrior)));
      log_precision.push_back(-std::log(spread));
    }
    const auto put = [&](const char* label, const std::vector<double>& numbers) {
      const Tensor& own = density.parameter(variable.name + "." + label).tensor();
      own.copy_from(Tensor::from(numbers, own.shape(), own.placement()));
    };
    put(kMean, bias);
    if (variable.domain == Domain::Real) put(kPrecision, log_precision);
  }
}

}  // namespace basin

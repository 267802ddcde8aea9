#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "energy/marginal/enumerate.h"
#include "support/contains.h"
#include "support/device.h"
#include "support/error_of.h"
#include "tensor/error.h"
#include "tensor/random.h"

/// What the tests of energies compare with: random parameters, sums over all states, quadrature.
namespace basin::test {

/// Moves the graph to f64 and draws every parameter from N(0, scale^2).
inline void randomise(const FactorGraph& graph, Key key, double scale = 1.0) {
  for (Parameter parameter : graph.parameters()) {
    std::vector<double> values =
        normal(key.fold(parameter.name()), parameter.tensor().shape(), {Dtype::F64, Device::Cpu}).values();
    for (double& value : values) {
      value *= scale;
    }
    parameter.set(Tensor::from(values, parameter.tensor().shape(), f64()));
  }
}

/// A constant of the given numbers, in f64 on the device under test.
inline Tensor numbers(const std::vector<double>& values, Shape shape) {
  return Tensor::from(values, std::move(shape), f64());
}

/// `rows` copies of one sample.
inline Tensor repeated(const std::vector<double>& sample, const Variable& variable, Index rows) {
  std::vector<double> all;
  for (Index n = 0; n < rows; ++n) {
    all.insert(all.end(), sample.begin(), sample.end());
  }
  return numbers(all, batched(variable, rows));
}

/// exp(-E) of all states of `block`, normalised; `fixed` holds one sample of every other variable.
struct Distribution {
  State states;                // of the block and the rest, one row a state
  std::vector<double> weight;  // probabilities
  double log_total = 0.0;      // log sum exp(-E)

  std::vector<double> mean(const Variable& variable) const {
    const std::vector<double> values = states[variable].tensor().values();
    const auto size = static_cast<std::size_t>(variable.size());
    std::vector<double> result(size, 0.0);
    for (std::size_t s = 0; s < weight.size(); ++s) {
      for (std::size_t i = 0; i < size; ++i) {
        result[i] += weight[s] * values[s * size + i];
      }
    }
    return result;
  }
};

inline Distribution distribution(const FactorGraph& graph, const Block& block, const State& fixed = {}) {
  const Index count = state_count(block);
  Distribution result;
  result.states = enumerate_states(block, 0, count, f64());
  for (const Variable& variable : graph.variables()) {
    if (fixed.has(variable) && !result.states.has(variable)) {
      result.states.set(variable, repeated(fixed[variable].tensor().values(), variable, count));
    }
  }
  const std::vector<double> energy = graph.energy(result.states).tensor().values();
  double lowest = INFINITY;
  for (const double e : energy) lowest = std::min(lowest, e);
  double total = 0.0;
  for (const double e : energy) total += std::exp(lowest - e);
  for (const double e : energy) result.weight.push_back(std::exp(lowest - e) / total);
  result.log_total = std::log(total) - lowest;
  return result;
}

/// Moments of exp(-E) over one unit on a grid, by the trapezoidal rule: log of the integral, mean, variance.
struct Moments {
  double log_total = 0.0, mean = 0.0, variance = 0.0;
};

inline Moments quadrature(const FactorGraph& graph, const Variable& unit, const State& fixed, double from,
                          double to, Index points = 100001) {
  std::vector<double> grid(static_cast<std::size_t>(points));
  const double step = (to - from) / static_cast<double>(points - 1);
  for (std::size_t i = 0; i < grid.size(); ++i) grid[i] = from + step * static_cast<double>(i);
  State state;
  state.set(unit, numbers(grid, batched(unit, points)));
  for (const Variable& variable : graph.variables()) {
    if (fixed.has(variable) && !(variable == unit)) {
      state.set(variable, repeated(fixed[variable].tensor().values(), variable, points));
    }
  }
  const std::vector<double> energy = graph.energy(state).tensor().values();
  double lowest = INFINITY;
  for (const double e : energy) lowest = std::min(lowest, e);
  double zero = 0.0, one = 0.0, two = 0.0;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    const double w = std::exp(lowest - energy[i]) * (i == 0 || i + 1 == grid.size() ? 0.5 : 1.0);
    zero += w;
    one += w * grid[i];
    two += w * grid[i] * grid[i];
  }
  const double mean = one / zero;
  return {std::log(zero * step) - lowest, mean, two / zero - mean * mean};
}

}  // namespace basin::test

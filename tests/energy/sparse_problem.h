#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/graph.h"
#include "modules/linear.h"
#include "support/device.h"
#include "support/numbers.h"
#include "tensor/solvers.h"

namespace basin::test {

/// min_z 1/2 |y - D z|^2 + lambda |z|_1 for a batch, as a graph and as plain numbers.
struct SparseProblem {
  Index signal, atoms, samples;
  double lambda;
  std::vector<double> dictionary;  // [atoms, signal], rows of norm 1
  std::vector<double> signals;     // [samples, signal]
  FactorGraph graph;
  Variable y, z;
  State clamped;
};

/// Rows of norm 1 and signals of norm about 1 from `seed`; D has every atom in random directions.
inline SparseProblem sparse_problem(Index signal, Index atoms, Index samples, double lambda, Domain domain,
                                    Placement placement, std::uint64_t seed = 1) {
  SparseProblem problem{
      signal, atoms, samples, lambda, numbers(atoms * signal, seed), numbers(samples * signal, seed + 1),
      {},     {},    {},      {}};
  const auto normalise = [](std::vector<double>& rows, Index width) {
    for (auto row = rows.begin(); row != rows.end(); row += width) {
      double square = 0.0;
      std::for_each(row, row + width, [&](double x) { square += x * x; });
      std::for_each(row, row + width,
                    [&](double& x) { x = static_cast<double>(static_cast<float>(x / std::sqrt(square))); });
    }
  };
  normalise(problem.dictionary, signal);
  normalise(problem.signals, signal);
  problem.y = problem.graph.real("y", {signal});
  problem.z = problem.graph.variable("z", domain, {atoms});
  Linear decoder(atoms, signal, Key(seed), {.bias = false, .placement = placement});
  decoder.weight().tensor().copy_from(Tensor::from(problem.dictionary, {atoms, signal}, placement));
  problem.graph.add(SquaredError(problem.y, decoder, problem.z)).add(L1(problem.z, lambda));
  problem.clamped.set(problem.y, Tensor::from(problem.signals, {samples, signal}, placement));
  return problem;
}

/// The codes [samples, atoms] by cyclic coordinate descent in f64, to rounding.
inline std::vector<double> reference_codes(const SparseProblem& problem, bool non_negative,
                                           int sweeps = 3000) {
  const auto d = static_cast<std::size_t>(problem.signal), k = static_cast<std::size_t>(problem.atoms);
  std::vector<double> codes(static_cast<std::size_t>(problem.samples) * k, 0.0);
  for (std::size_t n = 0; n < static_cast<std::size_t>(problem.samples); ++n) {
    std::vector<double> residual(problem.signals.begin() + static_cast<std::ptrdiff_t>(n * d),
                                 problem.signals.begin() + static_cast<std::ptrdiff_t>((n + 1) * d));
    double* z = codes.data() + n * k;
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      double moved = 0.0;
      for (std::size_t i = 0; i < k; ++i) {
        const double* atom = problem.dictionary.data() + i * d;
        double product = 0.0, square = 0.0;
        for (std::size_t j = 0; j < d; ++j) {
          product += atom[j] * residual[j];
          square += atom[j] * atom[j];
        }
        if (square == 0.0) continue;
        const double target = product + square * z[i];
        double best = std::max(0.0, target - problem.lambda);
        if (!non_negative) best -= std::max(0.0, -target - problem.lambda);
        const double change = best / square - z[i];
        for (std::size_t j = 0; j < d; ++j) residual[j] -= change * atom[j];
        z[i] += change;
        moved = std::max(moved, std::abs(change));
      }
      if (moved < 1e-14) break;
    }
  }
  return codes;
}

inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = a.size() == b.size() ? 0.0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::max(largest, std::isnan(a[i]) ? INFINITY : std::abs(a[i] - b[i]));
  return largest;
}

/// What solves a lasso by coordinate descent on the device of the tests: nothing fused where its solvers have
/// no such kernel.
inline Rules rules_of_descent() {
  const Solvers* own = solvers(device());
  return own != nullptr && own->has_lasso_descent() ? Rules{"lasso"} : Rules{};
}

}  // namespace basin::test

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "energy/objectives/objective.h"
#include "oracle.h"

namespace basin::test {

/// Every third number of an evaluation's gradients against central differences of a loss, in f64.
inline void expect_gradients(const FactorGraph& graph, const Evaluation& evaluation,
                             const std::function<double()>& loss, double tolerance, const std::string& who) {
  std::vector<Parameter> parameters = graph.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Shape shape = parameters[i].tensor().shape();
    const std::vector<double> g = evaluation.gradients[i].to_tensor(shape).values(),
                              at = parameters[i].tensor().values();
    for (std::size_t j = 0; j < at.size(); j += 3) {
      const auto moved = [&](double shift) {
        std::vector<double> values = at;
        values[j] += shift;
        parameters[i].set(numbers(values, shape));
        return loss();
      };
      EXPECT_NEAR(g[j], (moved(1e-5) - moved(-1e-5)) / 2e-5, tolerance)
          << who << " by " << parameters[i].name();
    }
    parameters[i].set(numbers(at, shape));
  }
}

}  // namespace basin::test

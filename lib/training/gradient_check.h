#pragma once

#include <span>
#include <string>
#include <vector>

#include "energy/objectives/held_loss.h"

namespace basin {

struct GradientCheckOptions {
  Index coordinates = 5;    // of each parameter: the one of the largest gradient, and others drawn by the key
  double step = 1e-5;       // of central differences, relative to max(1, |x|)
  double tolerance = 1e-5;  // on |difference|, relative to the larger of both; of the parameter's largest
                            // gradient a hundredth of it
};

/// What finite differences say of the gradient of one parameter.
struct GradientCheck {
  std::string parameter;
  Index checked = 0, agree = 0;  // coordinates; none of a parameter that the objective moves by itself
  double largest = 0.0;          // |gradient| among them
  double worst = 0.0;            // |difference| among them
  std::string disagrees = {};    // the first that does: its place, what was expected and received
};

/// Compares the gradient that an objective gives for batches, carry and key with central differences of the
/// loss that it is the gradient of (energy/objectives/held_loss.h), parameter by parameter; f64 alone tells
/// more than rounding. Where a difference is off, steps of a tenth and a hundredth are tried, and at a kink,
/// where both sides differ, a gradient between them agrees. Parameters are moved in place and restored.
/// Throws Error where the gradient is that of no loss, saying why, and for parameters that are not f64.
std::vector<GradientCheck> check_gradients(const FactorGraph& graph, const Objective& objective,
                                           std::span<const State> batches, const Carry& carry, Key key,
                                           const GradientCheckOptions& options = {});

}  // namespace basin

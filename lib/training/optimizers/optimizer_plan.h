#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "training/optimizers/average.h"
#include "training/optimizers/optimizer.h"

namespace basin {

/// An [optimizer] table of an experiment; experiments/README.md says what each key means.
struct OptimizerPlan {
  std::string kind = "none";  // one of optimizer_kinds(), or "none"
  Schedule learning_rate = 0.0;
  Rates rates = {};
  std::optional<AverageOptions> average = {};  // {}: not averaged
  /// An optimizer of this kind with such rates.
  std::function<std::unique_ptr<Optimizer>(const Rates& rates)> make = [](const Rates& /*none*/) {
    return std::make_unique<NoOptimizer>();
  };
};

/// The names of all kinds but "none", that of the default first.
std::vector<std::string> optimizer_kinds();

/// Reads such a table; `learning_rate` is that of an optimizer of the default kind where it names none.
/// Throws Error with file, line and column for what makes no sense.
OptimizerPlan read_optimizer(const Config& table, std::optional<double> learning_rate = {});

}  // namespace basin

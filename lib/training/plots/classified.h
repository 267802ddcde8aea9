#pragma once

#include <vector>

#include "training/plots/plot.h"

namespace basin {

/// A sample that was put in a wrong class.
struct Mistake {
  Index sample = 0;  // its number among those that the stage is judged by
  Index label = 0, predicted = 0;
  double margin = 0.0;  // score of the class it was put in, above that of its own
};

/// Those that the results hold (evaluation/test_predictions), the most confident first. Throws Error where
/// they hold none.
std::vector<Mistake> mistakes(const StageView& view, const Store& store);

}  // namespace basin

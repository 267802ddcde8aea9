#pragma once

#include <memory>

#include "modules/module.h"
#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage that scores classes.
struct Classifier {
  static constexpr const char* kWhat = "scores of classes";
  std::shared_ptr<const Module> scores;  // samples [N, ...] -> [N, classes]
};

/// "classification": classification_error_train (of the labelled samples), _validation and _test, the
/// fraction of samples whose largest score is not that of their label; in epochs the last two, of the first
/// 2,000 samples.
Measure classification_measure();

}  // namespace basin

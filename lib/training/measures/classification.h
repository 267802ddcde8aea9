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

/// "classification": the fraction of samples whose largest score is not that of their label. At the end of
/// the training samples with labels, and of all validation and test samples that there are, as
/// <part>_error; of the test samples, or else the validation samples, also
///   <part>_predictions [N], <part>_labels [N]     the class with the largest score, the first of equals
///   <part>_confusion [classes, classes]           samples by label (row) and prediction (column)
/// energy_gap_<part> is the mean of E_y - E_o by the scores -E, o the most offending class other than the
/// label y: the lower, the surer the answers are right (LabelLoss). In epochs validation_error and
/// energy_gap_validation of all validation samples; where there are none, of the first 2,000 test samples.
Measure classification_measure();

}  // namespace basin

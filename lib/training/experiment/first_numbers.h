#pragma once

#include "training/stage.h"

namespace basin {

/// Throws Error where one of the first numbers that a stage has taken from its samples (Stage::start) is not
/// finite: sums of squares leave f32 where the samples are large.
void expect_finite_start(const Stage& stage, const Samples& samples);

}  // namespace basin

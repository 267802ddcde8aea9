#pragma once

#include <string>

#include "training/history.h"

namespace basin {

/// What ails a training by the metrics of its last epoch, in words, with what to do about it; "" where
/// nothing does:
///   dead_units, saturated_units  half of the hidden units or more say the same of all samples
///   unconverged, gap             inference that did not converge
std::string ailment(const History& history);

}  // namespace basin

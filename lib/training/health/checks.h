#pragma once

#include "training/health/health.h"

namespace basin {

/// Looks for one ailment: what there is of it in words, "" where there is none or it cannot be told.
using HealthCheck = std::string(const HealthView& at, const HealthOptions& options);

/// By the history of metrics.
HealthCheck check_diverged, check_idle_units, check_unconverged, check_bracket;
/// By the chains of a contrast.
HealthCheck check_energy_gap, check_mixing, check_chain_variance;
/// By the codes of samples.
HealthCheck check_code_variance;

/// The last epoch's number; 0 where it was not measured.
double last_of(const History& history, const std::string& metric);

}  // namespace basin

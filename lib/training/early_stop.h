#pragma once

#include <optional>
#include <string>

#include "config/config.h"
#include "training/history.h"
#include "training/measures/measure.h"

namespace basin {

/// Which parameters a training ends with.
enum class Keep { Last, Best };

/// When a training ends before its epochs are over: `patience` epochs in a row without a better number of a
/// metric than the best so far, or `after` so many. Schedules and averages keep the length of all epochs.
/// Both answers below are functions of the history alone, so that a training that goes on from a checkpoint
/// decides as the unbroken one. Reference: Prechelt 1998, "Early stopping - but when?" (the criterion UP with
/// strips of one epoch is near it).
struct EarlyStop {
  std::string metric = {};  // of epochs, as a monitor names it
  Better better = Better::Down;
  Index patience = 0;  // epochs; 0: never
  Keep keep = Keep::Last;
  Index after = 0;  // epochs, whatever was measured; 0: by the metric
};

/// The epoch (1, 2, ...) with the best number of the metric, the first of equals; 0: none was finite yet.
/// Throws Error naming what was measured where the metric was not.
Index best_epoch(const History& history, const EarlyStop& stop);

/// Whether so many epochs have passed, in all or since the best one.
bool is_over(const History& history, const EarlyStop& stop);

/// Reads `stop = { metric = "validation_error", patience = 10 }`, or `stop = { after = 12 }`, and `keep =
/// "best"` of a table of a training; none where they are absent or `stop` is empty. Throws Error for a metric
/// that no measure defines, that has no better or worse, or that is none of validation samples.
std::optional<EarlyStop> read_early_stop(const Config& table);

}  // namespace basin

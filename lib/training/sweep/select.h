#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "results/hdf5/store.h"
#include "training/measures/measure.h"
#include "training/sweep/setting.h"

namespace basin {

/// A table [select]: how the best settings of a sweep are chosen, and what becomes of them.
struct Selection {
  std::string metric;  // of validation samples, by its name in /evaluation
  enum class Retrain { All, Train };
  Retrain retrain = Retrain::All;        // with the validation samples, or without, stopping by them again
  std::vector<std::int64_t> seeds = {};  // of the runs with the chosen settings; {}: that of the file
  std::vector<std::string> each = {};    // keys of the sweep, for each of whose values the best is chosen
  std::string place = {};                // in the file, for messages
};

/// Throws Error with file, line and column; for a metric of test samples, too.
Selection read_selection(const Config& table);

/// One choice of settings, with what the runs that tried it have given, a seed each.
struct Trial {
  Settings settings = {};  // without the seed
  std::vector<std::int64_t> seeds = {};
  std::vector<double> values = {};  // of the metric
  Better better = Better::Neither;
  std::map<std::string, std::vector<double>> epochs =
      {};                      // that early stopping chose, by table ("fine_tune")
  double train_seconds = 0.0;  // of all its runs, pretraining included
  std::string failure = {};    // why a run is not complete; such a trial is not chosen

  /// Takes in a complete run. Throws Error naming the metrics there are where it lacks the selection's.
  void add(const Store& results, const Selection& selection);
};

/// Trials among which one is chosen, each time in their order: those alike in all keys of selection.each.
std::vector<std::vector<Trial>> choices_of(const std::vector<Trial>& trials, const Selection& selection);
/// The settings of those keys, which all trials of a choice have.
Settings settings_of_each(const std::vector<Trial>& choice, const Selection& selection);

/// The trial whose metric is the best by its mean over seeds, the first of equals. Throws Error where no
/// trial is complete with a mean that is finite.
std::size_t best_trial(const std::vector<Trial>& trials, const Selection& selection);

/// The epochs that early stopping chose in the runs of a trial, for a training that ends there without
/// looking, as settings: "fine_tune.stop={ after = 12 }", the mean over seeds. Schedules keep the length that
/// they had in the trials, so that the rate of every epoch is the one by which the epochs were chosen. {}
/// where none stops early.
Settings chosen_epochs(const Trial& trial);

/// Records in /select of a results file what was tried, and in /time what it took (LAYOUT.md).
void write_selection(Store& results, const Selection& selection, const std::vector<Trial>& trials,
                     std::size_t chosen);

}  // namespace basin

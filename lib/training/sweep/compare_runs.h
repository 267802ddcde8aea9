#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "results/bootstrap.h"
#include "results/statistics.h"
#include "results/text_table.h"
#include "training/sweep/compared_run.h"

namespace basin {

/// Runs in groups of equal settings.
struct Comparison {
  struct Group {
    std::vector<std::string> settings;  // a value for each key
    std::vector<double> values = {};    // of the metric
    std::vector<Budget> budgets = {};   // of each value
    bool is_reference = true;           // that others are compared with
    PairedDifference difference = {};   // to the reference, in pairs of runs alike in all other keys, but for
                                        // those of its table that only some values of `by` have
    double p = Budget::kUnknown;        // of no difference, by the test; NaN without
    double corrected_p = Budget::kUnknown;               // by Holm, over all groups
    std::optional<BootstrapMean> mean = {};              // of the metric itself,
    std::optional<BootstrapMean> drawn_difference = {};  // and of the difference, by test = "bootstrap"
  };
  std::string metric, test, over;      // "": none
  std::vector<std::string> keys = {};  // `over` is the last
  std::vector<Group> groups = {};
  std::vector<std::string> notes = {};  // for people: who chose the test, and what became of it
  std::optional<McNemar> mcnemar = {};  // of two runs that hold predictions of the same test samples

  /// A row a group: its settings, mean, deviation, n, difference, standard error, pairs; where there is a
  /// test p and p_holm, with bootstrap also the interval of the difference (low, high); where they are known
  /// the trials among which its settings were selected and the seconds of all of them, the mean seconds of
  /// training, pretraining included, and updates of a run.
  TextTable table() const;
};

/// Groups in the order of their files, the reference first; by "stages" runs are grouped by the names of
/// their stages (in alphabetical order), whatever else differs in those; `over` makes each of its values
/// (rising) a comparison of its own, with a reference of its own; a key that follows `over` makes no groups
/// by itself. What `flags` leave open is as the
/// experiments say in [compare]; a flag that departs from it is noted as chosen afterwards. A group that a
/// test refuses has no p, and a note says why.
///
/// Throws Error where runs were measured on other samples, saying which key of [data] differs; where a run
/// lacks the metric, the key, or what a bootstrap draws from; where two runs of a group are alike in all
/// keys; for values of `over` that are no numbers, and a reference that no run has.
Comparison compare_runs(const std::vector<ComparedRun>& runs, const CompareOptions& flags);

}  // namespace basin

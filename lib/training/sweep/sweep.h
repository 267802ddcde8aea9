#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/node.h"
#include "training/experiment/plan.h"
#include "training/sweep/select.h"
#include "training/sweep/setting.h"

namespace basin {

/// A table [sweep]: for keys of the experiment the values to run it with. A value is
///   [1, 2, 3]                                          each of them
///   { from = 1, to = 9, steps = 3 }                    1, 5, 9: whole numbers where both ends are
///   { from = 1e-4, to = 1e-1, steps = 4, scale = "log" }   1e-4, 1e-3, 1e-2, 1e-1
/// Several keys that go together, "train.epochs, optimizer.learning_rate", have lists of a value for each:
///   [[10, 0.1], [50, 0.02]]
/// All but the first, and the seed, are left out of names and tables: they say nothing that it does not.
/// Beside them stand `draw = "grid"` (the default): every combination, the last key fastest; or "random"
/// with `trials = N`: N draws of each key alone, of ranges without `steps` any number between the ends, under
/// Key(draw_seed).fold("sweep").fold(path).fold(trial). Values of `seed` are never drawn: each is run with
/// all other settings.
///
/// The settings of each run, in the order of the table; equal draws are one. Throws Error with file, line and
/// column for a list without values, a range that makes no sense, a value twice, and too many runs.
std::vector<Settings> read_sweep(const Node& table);

/// The key by which trials are kept from the test samples.
inline constexpr const char* kTestUse = "data.test_use";

/// An experiment with settings, and what its results are called.
struct SweepRun {
  Settings settings;
  std::string name =
      {};  // "labels-100_seed-1-0123456789": what varies, and the SHA-256 of `resolved` in short
  std::string resolved = {};
};

/// An experiment file with [sweep] and, maybe, [select]: all that it asks for, checked before anything runs.
class SweepFile {
 public:
  /// Reads the file, with settings of a command line ("train.epochs=5") for every run. Throws Error with
  /// file, line and column for whatever `basin run` would refuse in any of the runs.
  SweepFile(const std::string& path, std::vector<std::string> settings);

  const std::vector<SweepRun>& runs() const { return runs_; }
  const std::optional<Selection>& selection() const { return selection_; }
  /// The same experiment with other settings; `called` stands in its name in place of them. Throws Error
  /// where they make no sense.
  SweepRun run(Settings settings, const std::string& called = "") const;
  /// The keys that vary, in the order of the table, without those that follow others.
  const std::vector<std::string>& varied() const { return varied_; }

 private:
  Plan plan(const Settings& settings) const;
  /// Trials of one choice differ in their seed alone.
  static void check_seeds(const Node& table);
  /// What [compare] compares must vary.
  void check_comparison() const;

  std::string path_, text_;
  std::vector<std::string> given_, varied_;
  std::optional<Selection> selection_;
  std::vector<SweepRun> runs_;
};

/// Takes [sweep] and [select] out of an experiment, whose own settings are left.
void leave_sweep_aside(Config& config);

}  // namespace basin

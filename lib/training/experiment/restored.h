#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/hdf5/store.h"
#include "training/code_words.h"
#include "training/experiment/plan.h"
#include "training/stage_view.h"

namespace basin {

/// The plan of a results file, with settings ("evaluate.ais.chains=500") applied to it. Throws Error when the
/// file was not written by run_experiment().
Plan plan_of(const Store& store, const std::vector<std::string>& settings = {});

/// Where the tables of a stage stand in its file's experiment, for settings: "stages.first.", "" where they
/// are the file's own. "": of the last stage.
std::string table_of(const Store& store, const std::string& stage);

/// A stage of a results file with the parameters that were evaluated, and what it learns from. Throws Error
/// when the file has no such stage ("": the last one).
class RestoredStage {
 public:
  RestoredStage(const Store& store, Plan plan, const std::string& name = "", Device device = Device::Cpu);

  const Stage& stage() const { return stages_.back(); }
  const Store& results() const { return results_; }  // its group
  /// Loads the data, through the stages below, when first asked for them. Throws Error when they are no
  /// longer what the run learned from, unless the plan has another table [data]. Lives no longer than this.
  StageView view(const Say& say = {});
  /// Of a plan with another table [data], once its samples are loaded: whether they are others than those
  /// that the run learned from, by their digests.
  bool has_other_samples() const { return has_other_samples_; }
  /// What the stage's encoder makes of samples, through those of the stages below (encode.h); of a head the
  /// codes that it judges. nullopt: of the run's own data. Throws Error for samples of another shape than
  /// those that the first stage learned from.
  Dataset codes(std::optional<Dataset> samples = std::nullopt) const;
  /// What those codes are.
  CodeWords code_words() const;
  /// What samples of the stage's own input stand for among those of the first stage: means, by the decoders
  /// of the stages below. Throws Error where one of them has none.
  Column decoded(const Column& samples) const;

 private:
  /// Throws Error when they are not what the run learned from.
  Dataset load() const;
  const Dataset& data();
  /// What the first stage learns from, loaded when first asked for.
  const Dataset& samples();

  Plan plan_;
  std::vector<Stage> stages_;  // those below, and itself
  Shape sample_shape_;         // of the first
  Store results_;
  Carry carry_;
  Preprocessing preprocessing_;
  std::string digest_;  // of the run's data; "": unknown
  bool may_differ_ = false, has_other_samples_ = false;
  std::optional<Dataset> samples_, data_;
};

}  // namespace basin

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/catalog.h"
#include "data/dataset.h"
#include "data/fill_batch.h"
#include "tensor/dtype.h"
#include "training/early_stop.h"
#include "training/experiment/expected.h"
#include "training/experiment/joint_terms.h"
#include "training/health/health.h"
#include "training/kinds/kind.h"
#include "training/optimizers/optimizer_plan.h"

namespace basin {

/// What is trained of a stack of stages with a head on top.
enum class Protocol {
  Supervised,        // all of it by the labels, from a random start
  LayerwiseFrozen,   // stage after stage without labels, then the head alone
  LayerwiseFineTune  // the same, then all of it by the labels
};

/// When a run looks at its test samples: after epochs too, where no validation samples are set apart; in the
/// end alone; not at all (a trial among others, of which validation samples choose the best).
enum class TestUse { Epochs, End, Never };

/// A stage of an experiment, as read from its table: model, train, inference, optimizer, evaluate, results.
/// What depends on the kind of model is held by `build`.
struct StagePlan {
  std::string name;
  const Kind* kind = nullptr;  // one of kinds()
  StageBuilder build;
  bool draws_bits =
      true;  // a binary input takes bits, drawn at every step from the means that come from below
  bool learns_patches = false;  // of its samples (everywhere.h)

  struct Train {
    std::string objective;  // one that the kind knows; "none": nothing is trained
    Index epochs = 0, batch = 0;
    Dtype dtype = Dtype::F32;
    Index metrics_every = 0;
    std::optional<EarlyStop> stop = {};
    /// What becomes of a training with a number that is not finite: {}: it stops; else it goes back to the
    /// end of the last epoch, at half the learning rate, at most so often.
    std::optional<Index> roll_backs = {};
    HealthOptions health = {};
  } train;

  OptimizerPlan optimizer;

  std::vector<std::string> plots;
  Index snapshots = 0;                        // epochs from one snapshot of the weights to the next; 0: none
  std::vector<std::string> plots_above = {};  // that a head on it can give of it
  std::vector<ExpectedNumber> expected = {};  // of its evaluation
  JointWeights joint = {};                    // of a head: terms beside its own objective
  bool learns_codes = false;                  // a head whose samples are the codes of the stages below
  std::string tables;  // all that is trained and measured by, resolved; not the plots, nor what is expected

  bool is_fixed() const { return train.objective == "none"; }
};

/// An experiment as read from TOML: every value checked, every default filled in. The keys are those of the
/// members; see experiments/README.md for what each means.
struct Plan {
  std::uint64_t seed = 0;
  bool smoke = false;  // few samples, one or two epochs, short chains: does the file run at all?

  struct Data {
    std::string name;
    DatasetOptions options;
    PixelScale scale = PixelScale::Unit;
    double threshold = 0.5;
    Augmentation augment = {};  // of training batches
    TestUse test_use = TestUse::Epochs;
    std::string table;  // all of it, resolved
  } data;

  std::vector<StagePlan> stages;  // without [[stages]] the one of the file itself, "main"
  std::optional<StagePlan> head;  // trained as [fine_tune] says
  Protocol protocol = Protocol::LayerwiseFineTune;

  std::string init_from = {};  // a results file whose parameters the stages start from; "": none
  std::string file;            // of the results
  double checkpoint_seconds = 0.0;

  /// Whether it is more than one stage alone.
  bool is_pipeline() const { return stages.size() != 1 || head; }
  /// Whether numbers are compared with what is expected of them: not of few samples, nor of other ones.
  bool judges() const { return !smoke && data.test_use != TestUse::Never; }

  std::string given;     // the TOML text as written, with settings applied to it as comments
  std::string resolved;  // TOML text that says all of it, defaults included
};

/// Reads all keys, then calls config.finish(). `default_file` stands for an absent results.file. Throws Error
/// with file, line and column for whatever is unknown or makes no sense.
Plan read_plan(const Config& config, const std::string& default_file = "results/experiment.h5");

/// The data set a plan names. Throws Error when it has less than one batch, and when its digest is not the
/// one that a results file tells of ("": any).
Dataset load_data(const Plan& plan, const std::string& expected_digest = "");

}  // namespace basin

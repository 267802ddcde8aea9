#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/catalog.h"
#include "data/fill_batch.h"
#include "energy/fuse.h"
#include "tensor/dtype.h"
#include "training/kinds/kind.h"
#include "training/optimizers/average.h"
#include "training/optimizers/optimizer.h"

namespace basin {

/// An experiment as read from TOML: every value checked, every default filled in. The keys are those of the
/// members; see experiments/README.md for what each means. What depends on the kind of model is held by
/// `build`.
struct Plan {
  std::uint64_t seed = 0;
  bool smoke = false;  // few samples, one or two epochs, short chains: does the file run at all?

  struct Data {
    std::string name;
    DatasetOptions options;
    PixelScale scale = PixelScale::Unit;
    double threshold = 0.5;
  } data;

  const Kind* kind = nullptr;  // one of kinds()
  StageBuilder build;

  struct Train {
    std::string objective;  // one that the kind knows
    Index epochs = 0, batch = 0;
    Dtype dtype = Dtype::F32;
    Fuse fuse = Fuse::Auto;
    Index metrics_every = 0;
  } train;

  struct Learn {
    std::string kind;  // "sgd", "adam", "none"
    Schedule learning_rate = 0.0;
    Schedule momentum = 0.0;
    bool nesterov = false;
    double weight_decay = 0.0;
    Rates rates;
    bool averaged = false;
    AverageOptions average;
  } optimizer;

  struct Results {
    std::string file;
    std::vector<std::string> plots;
    double checkpoint_seconds = 0.0;
  } results;

  std::string given;     // the TOML text as written, with settings applied to it as comments
  std::string resolved;  // TOML text that says all of it, defaults included
};

/// Reads all keys, then calls config.finish(). `default_file` stands for an absent results.file. Throws Error
/// with file, line and column for whatever is unknown or makes no sense.
Plan read_plan(const Config& config, const std::string& default_file = "results/experiment.h5");

/// The [data] table.
Plan::Data read_data(const Config& config);
/// "unit", "threshold" or "stochastic" at `key` of a table.
PixelScale read_scale(const Config& table, const char* key, const std::string& fallback);

/// The data set a plan names. Throws Error when it has less than one batch.
Dataset load_data(const Plan& plan);

std::unique_ptr<Optimizer> make_optimizer(const Plan& plan);

/// The stage of a plan for samples of a shape, real numbers or bytes, initialised under Key(plan.seed).
Stage make_stage(const Plan& plan, const Shape& sample_shape, bool is_real, Device device);

}  // namespace basin

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/catalog.h"
#include "energy/contrastive_divergence.h"
#include "models/rbm.h"
#include "tensor/dtype.h"
#include "training/average.h"
#include "training/optimizer.h"

namespace basin {

/// An experiment as read from TOML: every value checked, every default filled in. The keys are those of the members; see
/// experiments/README.md for what each means.
struct Plan {
  std::uint64_t seed = 0;
  bool smoke = false;  // few samples, one or two epochs, short chains: does the file run at all?

  struct Data {
    std::string name;
    DatasetOptions options;
    PixelScale scale = PixelScale::Unit;
    double threshold = 0.5;
  } data;

  struct Model {
    UnitKind visible = UnitKind::Binary;
    UnitKind hidden_units = UnitKind::Binary;
    Index hidden = 0;
    Index hidden_group = 1;  // length of a one-hot group, softmax units only
    double weight_scale = 0.01;
    bool bias_from_data = true;
  } model;

  struct Train {
    std::string objective;  // "cd", "pcd", "fpcd", "exact"
    ContrastiveDivergenceOptions options;
    Index epochs = 0, batch = 0;
    Dtype dtype = Dtype::F32;
    Index metrics_every = 0;
  } train;

  struct Learn {
    std::string kind;  // "sgd", "adam"
    Schedule learning_rate = 0.0;
    Schedule momentum = 0.0;
    bool nesterov = false;
    double weight_decay = 0.0;
    bool averaged = false;
    AverageOptions average;
  } optimizer;

  struct Evaluate {
    std::string log_likelihood;  // "ais", "exact", "none"
    Index chains = 0, temperatures = 0, burn_in = 0;
    bool three_part = false;
    bool reverse = true;
    PixelScale scale = PixelScale::Unit;
  } evaluate;

  struct Results {
    std::string file;
    std::vector<std::string> plots;
    double checkpoint_seconds = 0.0;
    Index sample_chains = 0, sample_steps = 0;
  } results;

  std::string given;     // the TOML text as written, with settings applied to it as comments
  std::string resolved;  // TOML text that says all of it, defaults included
};

/// Reads all keys, then calls config.finish(). `default_file` stands for an absent results.file. Throws Error with file, line and
/// column for whatever is unknown or makes no sense.
Plan read_plan(const Config& config, const std::string& default_file = "results/experiment.h5");

std::unique_ptr<Optimizer> make_optimizer(const Plan& plan);

}  // namespace basin

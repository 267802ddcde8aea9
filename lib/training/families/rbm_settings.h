#pragma once

#include <string>

#include "energy/objectives/contrastive_divergence.h"
#include "models/rbm.h"
#include "training/plan.h"

namespace basin {

/// The keys of an experiment that only restricted Boltzmann machines have.
struct RbmSettings {
  struct Model {
    UnitKind visible = UnitKind::Binary;
    UnitKind hidden_units = UnitKind::Binary;
    Index hidden = 0;
    Index hidden_group = 1;  // length of a one-hot group, softmax units only
    double weight_scale = 0.01;
    bool bias_from_data = true;
  } model;

  ContrastiveDivergenceOptions train;

  struct Evaluate {
    std::string log_likelihood;  // "ais", "exact", "none"
    Index chains = 0, temperatures = 0, burn_in = 0;
    bool three_part = false;
    bool reverse = true;
    PixelScale scale = PixelScale::Unit;
  } evaluate;

  Index sample_chains = 0, sample_steps = 0;
};

/// Reads them, sets plan.train.objective ("cd", "pcd", "fpcd", "exact") and plan.train.fuse; cut short where
/// plan.smoke.
RbmSettings read_rbm_settings(const Config& config, Plan& plan);

}  // namespace basin

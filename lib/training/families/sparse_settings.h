#pragma once

#include <memory>
#include <string>

#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "models/encoder.h"
#include "training/plan.h"

namespace basin {

/// The keys of an experiment that sparse coding and predictive sparse decomposition have.
struct SparseSettings {
  struct Model {
    Index atoms = 0;
    double lambda = 0.0;
    bool non_negative = false;
    bool atoms_from_data = false;
    bool encodes = false;     // psd, psd_warm_start
    bool warm_start = false;  // psd_warm_start
    double alpha = 1.0;
    EncoderKind encoder = EncoderKind::Shrinkage;
  } model;

  struct Inference {
    std::string solver;  // "fista", "ista", "coordinate_descent"
    ProximalOptions proximal;
    InferOptions options;
  } inference;

  struct Train {
    bool online = false;
    double forget = 0.0;
    Index dead_after = 0;
  } train;

  struct Evaluate {
    Index samples = 0;
    bool gabor = false, likeness = false;
  } evaluate;
};

/// Reads them for a kind of model ("sparse_coding", "psd", "psd_warm_start"), sets plan.train.objective
/// ("sgd", "online") and plan.train.fuse; cut short where plan.smoke.
SparseSettings read_sparse_settings(const Config& config, Plan& plan, const std::string& kind);

/// [inference]: solver (one of `solvers`, the first by default), tolerance, max_steps, step, fuse; sets
/// plan.train.fuse.
SparseSettings::Inference read_inference(const Config& config, Plan& plan,
                                         const std::vector<std::string>& solvers, double tolerance,
                                         Index max_steps);

/// The transition that iterates to the code z.
std::shared_ptr<const Transition> make_solver(const SparseSettings::Inference& inference, const Variable& z);

}  // namespace basin

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "energy/fuse.h"
#include "energy/transition.h"

namespace basin {

/// When a sample's inference is done.
enum class Stop {
  Auto,        // DualityGap where there is one, else StepSize
  DualityGap,  // relative_duality_gap <= tolerance
  StepSize,    // |z_k+1 - z_k| <= tolerance * max(|z_0|, .., |z_k|)
  Never        // all max_steps
};

struct InferOptions {
  Index max_steps = 1000;   // iterations; of CoordinateDescent one coordinate each, so tens of times as many
                            // as codes that are not 0
  double tolerance = 1e-4;  // gaps below about 1e-6 are beyond f32, whose energies round there: use f64
  Stop stop = Stop::Auto;
  Index check_every = 10;  // iterations between two looks at the criterion (the gap costs about an iteration)
  Fuse fuse = Fuse::Auto;
};

/// What inference found. Samples that did not get there within max_steps are counted, never silently used.
struct Inferred {
  State state;     // with z, without the transition's memory
  Tensor measure;  // [N]: of each sample the last gap or relative step (with Never either), f64 on the host
  Tensor steps;    // [N]: iterations each sample took, f64 on the host
  Index unconverged = 0;    // samples above the tolerance
  Stop stop = Stop::Never;  // the criterion that was used
  Rules rules;
};

/// min_z E(z, rest): iterates a transition (Ista, Fista, CoordinateDescent) from z in `state` (a warm start;
/// what of it is below zero counts as zero where z is non-negative), or from zeros where z has no value,
/// until every sample has converged. A sample that has converged stays as it is. z carries no history: by the
/// envelope theorem the gradient of the minimum in the parameters is dE/dW with z held. Throws Error when z
/// or an energy stops being finite.
Inferred infer(const FactorGraph& graph, const Variable& z, const Transition& transition, const State& state,
               const InferOptions& options, Key key);

/// The rewrite rules by which infer() would do that.
Rules inference_rules(const FactorGraph& graph, const Variable& z, const Transition& transition,
                      const InferOptions& options);

/// How inference of many samples, a batch after another, ended.
struct Convergence {
  Index samples = 0, unconverged = 0;
  double total = 0.0, worst = 0.0;  // of the samples' measures
  Stop stop = Stop::Never;

  void add(const Inferred& inferred);
  /// Of the measures; 0 without samples.
  double mean() const { return samples > 0 ? total / static_cast<double>(samples) : 0.0; }
  /// Of the samples, that did not converge.
  double fraction() const {
    return samples > 0 ? static_cast<double>(unconverged) / static_cast<double>(samples) : 0.0;
  }
};

/// One line for people when samples did not converge: how many, their worst gap, what to do. Empty when all
/// did.
std::string warning(const Convergence& convergence, const InferOptions& options);
std::string warning(const Inferred& inferred, const InferOptions& options);

/// The strength of the rough factor (lambda of L1, times its weight in the graph) from which the best code of
/// every sample is zero: max_n dual_norm(-grad f(0)) * strength. For sparse coding this is lambda_max = max
/// |D'y|. nullopt where there is no such norm.
std::optional<double> largest_useful_weight(const FactorGraph& graph, const Variable& z, const State& state);

}  // namespace basin

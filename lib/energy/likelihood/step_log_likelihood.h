#pragma once

#include <vector>

#include "energy/transition.h"

namespace basin {

/// What is known of log p(v_t | x) of each step of some sequences, in nats: sequence after sequence, steps
/// past their ends left out.
struct StepLogLikelihoods {
  std::vector<double> nats;               // -F(v_t) - log Z_t
  std::vector<double> effective_samples;  // of the chains of log Z_t, (sum w)^2 / sum w^2; exact: empty
  std::vector<double> relative_errors;    // standard errors of Z_t over Z_t; exact: empty
  std::vector<Index> lengths;             // steps of each sequence

  /// Mean over steps, and its standard error by the chains.
  double mean() const;
  double standard_error() const;
  /// By how much `mean` is too high on average: Z is unbiased, so that log Z is too low by half the squared
  /// relative error (delta method).
  double bias() const;
};

struct StepAnnealingOptions {
  Index chains = 50;
  Index temperatures = 200;  // evenly spaced
  Index mean_field = 10;     // updates that find the base model
  Key key = Key(0);
};

/// Annealed importance sampling of log Z_t of every step by itself, of a graph of the pattern
/// "step_bipartite" (its RBMs of steps given x; marginal/step_bipartite.h), along
///   E_beta(v, h) = -(1 - beta) a.v + beta E(v, h),   beta from 0 to 1,
/// where the base model's biases a of a step are b + W m, m the means of h after some updates of mean field
/// (halfway each) without data: what this step's RBM by itself expects. Hidden units are summed out of the
/// weights, which are added up in f64. `batch` holds x and `visible`, one of the two sides; the steps'
/// chains run together. Throws Error for other graphs, and for counts below 1.
/// References: Salakhutdinov, Murray 2008, "On the quantitative analysis of deep belief networks";
/// Boulanger-Lewandowski, Bengio, Vincent 2012, "Modeling temporal dependencies in high-dimensional
/// sequences", which states likelihoods so.
StepLogLikelihoods anneal_steps(const FactorGraph& graph, const Variable& visible, const State& batch,
                                const StepAnnealingOptions& options = {});

/// Of the smaller side, whose states are enumerated.
inline constexpr Index kMostSummedUnits = 16;

/// The same by all states of the smaller side. Throws Error where it has more than kMostSummedUnits.
StepLogLikelihoods enumerate_steps(const FactorGraph& graph, const Variable& visible, const State& batch);

}  // namespace basin

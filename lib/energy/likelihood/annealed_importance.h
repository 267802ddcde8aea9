#pragma once

#include <map>
#include <string>
#include <vector>

#include "energy/fuse.h"
#include "energy/transition.h"

namespace basin {

/// Inverse temperatures 0 = beta_0 < ... < beta_count = 1, evenly spaced.
std::vector<double> uniform_ladder(Index count);

/// The three-part ladder of Salakhutdinov and Murray 2008 scaled to any count: 500 of 14,500 temperatures in
/// [0, 0.5], 4,000 in [0.5, 0.9], 10,000 in [0.9, 1]. count + 1 entries; count >= 3.
std::vector<double> three_part_ladder(Index count);

/// Biases of the base model by variable name, [variable.size()] each.
using BaseRate = std::map<std::string, Tensor>;

/// Biases under which one variable alone has the mean of data whose `sums` over `samples` samples,
/// [variable.size()], are given: binary log(p / (1-p)) and categorical log p with p smoothed by one count;
/// real and non-negative precision * mean, with the graph's Quadratic precision (non-negative:
/// approximately). Throws Error when a real variable has no Quadratic.
Tensor base_bias(const FactorGraph& graph, const Variable& variable, const Tensor& sums, Index samples);

struct AnnealedImportanceOptions {
  Index chains = 100;
  std::vector<double> temperatures = uniform_ladder(1000);
  BaseRate base = {};  // of visible variables; one not named takes the graph's own Bias
  Index batch = 1000;  // chains that run together; batch b draws under key.fold("batch").fold(b)
  Key key = Key(0);
  Fuse fuse = Fuse::Auto;
};

/// An estimate of log Z. Importance weights are averaged as numbers, errors are carried to log space.
struct PartitionEstimate {
  double log_z = 0.0;
  double base_log_z = 0.0;         // of the base model, exact
  double standard_error = 0.0;     // of log_z, delta method: sd(w) / (mean(w) sqrt(chains)); infinite,
                                   // which is to say unknown, where there is a warning
  double low = 0.0, high = 0.0;    // log Z at mean(w) -+ 3 standard errors; may be infinite
  double effective_samples = 0.0;  // (sum w)^2 / sum w^2
  Index burn_in = 0;               // sweeps that start chains of a reverse run took
  std::string warning;             // why the estimate is not to be trusted: fewer effective samples than a
                        // tenth of the chains, 10 or half of few chains, start chains that drift, a model
                        // that diverged
  std::vector<double> log_weights;  // one a chain, base_log_z not added
  Rules rules;                      // rewrite rules used
};

/// Annealed importance sampling of log Z along   E_beta = (1 - beta) E_base + beta E,   beta from 0 to 1,
/// where E_base is a bias on the visible variables plus all Quadratic factors of the graph (these keep weight
/// 1 along the path). `visible` and `hidden` are two blocks, neither of which interacts with itself, that
/// together are all variables (an RBM; a DBM's even and odd layers). Hidden ones are summed out of the
/// weights:
///   log w = sum_k F_{k-1}(v_{k-1}) - F_k(v_{k-1}),   v_k after one Gibbs sweep (hidden, then visible) at
///     beta_k from v_{k-1}.
/// The estimate of Z is unbiased, so that of log Z is too low on average, and likelihoods by it too high.
/// Throws Error when the blocks do not fit or the ladder does not rise from 0 to 1.
/// References: Neal 2001, "Annealed importance sampling"; Salakhutdinov, Murray 2008, "On the quantitative
/// analysis of deep belief networks", section 4.1.
PartitionEstimate annealed_importance(const FactorGraph& graph, const Block& visible, const Block& hidden,
                                      const AnnealedImportanceOptions& options = {});

struct ReverseOptions {
  Index burn_in = 1000;  // Gibbs sweeps of the model itself from `start` before annealing begins, longer
                         // while the chains' free energy drifts,
  Index times = 16;      // so many times as long at most
};

/// The same path walked from the model down to the base: `start` holds values of all visible variables for as
/// many chains as it has samples (options.chains is not read; PCD particles serve well), first moved by
/// sweeps at beta = 1, `burn_in` at a time. With exact samples of the model 1/Z is unbiased, so that log Z is
/// too high on average and likelihoods by it too low. No bound: of chains that have not mixed, which miss
/// whole modes, it may err on either side, and by more than its error says. What can be seen of that is a
/// warning; a log Z below annealed_importance()'s is another sign.
/// Reference: Grosse, Maddison, Salakhutdinov 2013; Burda, Grosse, Salakhutdinov 2015, "Accurate and
/// conservative estimates of MRF log-likelihood using reverse annealing".
PartitionEstimate reverse_annealed_importance(const FactorGraph& graph, const Block& visible,
                                              const Block& hidden, const State& start,
                                              const AnnealedImportanceOptions& options = {},
                                              ReverseOptions reverse = {});

}  // namespace basin

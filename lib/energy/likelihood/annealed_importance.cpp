#include "energy/likelihood/annealed_importance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/bias.h"
#include "energy/factors/quadratic.h"
#include "energy/likelihood/annealed_chains.h"
#include "energy/likelihood/finish_estimate.h"
#include "energy/likelihood/importance_mean.h"
#include "energy/sample/gibbs.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// So many effective samples are trusted: a tenth of the chains, and 10, or half of fewer than 20.
double trusted(std::size_t chains) {
  const auto all = static_cast<double>(chains);
  return std::max(0.1 * all, std::min(10.0, 0.5 * all));
}

/// E_beta of a graph for any beta, from one set of factors.
class Path {
 public:
  Path(const FactorGraph& graph, const Block& visible, const Block& hidden, const BaseRate& base)
      : visible(visible), hidden(hidden), placement_(graph.placement()) {
    Block all = visible;
    all.insert(all.end(), hidden.begin(), hidden.end());
    const bool each_once = std::all_of(
        graph.variables().begin(), graph.variables().end(),
        [&](const Variable& variable) { return std::count(all.begin(), all.end(), variable) == 1; });
    if (visible.empty() || hidden.empty() || all.size() != graph.variables().size() || !each_once) {
      throw Error(
          fmt::format("[annealed_importance] expected each of the graph's {} variables in one of the two "
                      "blocks, received {} + {}",
                      graph.variables().size(), visible.size(), hidden.size()));
    }
    for (const Variable& variable : graph.variables())
      terms_.variable(variable.name, variable.domain, variable.shape);
    for (const Variable& variable : visible) {
      const auto given = base.find(variable.name);
      own_bias = own_bias && given == base.end();
      Value bias = Tensor::zeros({variable.size()}, placement_);
      if (given != base.end()) {
        bias = given->second.to(placement_).reshaped({variable.size()});
      } else {
        for (const auto& [own, weight] : graph.factors<Bias>(variable))
          bias = bias + Value(own->bias().tensor()) * weight;
      }
      const Bias factor(variable, {.label = "annealing base"});
      Parameter(factor.bias()).set(bias.tensor());
      biases.push_back(bias.tensor());
      terms_.add(factor);
    }
    terms_.add_all(graph);
  }

  /// The base model's biases and Quadratic factors stay, the one waning, the other as they are.
  FactorGraph at(double beta) const {
    return terms_.weighted([&](std::size_t i, const FactorGraph::Term& term) {
      if (i < visible.size()) return 1.0 - beta;
      const bool stays = std::dynamic_pointer_cast<const Quadratic>(term.factor) != nullptr;
      return stays ? term.weight : beta * term.weight;
    });
  }

  /// Values 0 of a block, for where only their being there matters.
  State zeros(const Block& block, Index samples) const {
    State state;
    for (const Variable& variable : block)
      state.set(variable, Tensor::zeros(batched(variable, samples), placement_));
    return state;
  }

  const Block &visible, &hidden;
  std::vector<Tensor> biases;  // of the base model, of each visible variable
  bool own_bias = true;        // these are the graph's

 private:
  Placement placement_;
  FactorGraph terms_;  // a Bias of each visible variable, then the graph's own terms
};

/// The same moves as those of bipartite_chains().
class DerivedChains final : public AnnealedChains {
 public:
  DerivedChains(const Path& path, Index chains)
      : path_(path), log_weights_(static_cast<std::size_t>(chains)) {}
  void start(Key key) override {
    const State others = path_.zeros(path_.hidden, static_cast<Index>(log_weights_.size()));
    start(BlockGibbs({path_.visible})(path_.at(0.0), others, key));
  }
  void start(const State& state) override {
    v_ = State();
    for (const Variable& variable : path_.visible) v_.set(variable, state[variable]);
  }
  void weigh(double from, double to) override {
    const std::vector<double> before = free_energy(path_.at(from), path_.hidden, v_).tensor().values(),
                              after = free_energy(path_.at(to), path_.hidden, v_).tensor().values();
    for (std::size_t i = 0; i < before.size(); ++i) log_weights_[i] += before[i] - after[i];
  }
  void sweep(double beta, Key key) override {
    start(BlockGibbs({path_.hidden, path_.visible})(path_.at(beta), v_, key));
  }
  std::vector<double> log_weights() const override { return log_weights_; }

 private:
  const Path& path_;
  State v_;
  std::vector<double> log_weights_;
};

/// Adds evenly spaced temperatures from the last one up to another.
void rise(std::vector<double>& ladder, double to, Index steps) {
  const double from = ladder.back();
  for (Index k = 1; k < steps; ++k)
    ladder.push_back(from + (to - from) * static_cast<double>(k) / static_cast<double>(steps));
  ladder.push_back(to);
}

/// Chains of the model itself after Gibbs sweeps, as many as it takes until their free energies stand.
struct BurntIn {
  State v;
  Index sweeps = 0;
  bool stands = true;
};

/// Rounds of half the given length, two at least, until from one to the next F(v) changes on average by no
/// more than its noise over the chains explains.
BurntIn burn_in(const FactorGraph& graph, const Path& path, State v, const ReverseOptions& reverse, Key key,
                Fuse fuse) {
  constexpr double kErrors = 3.0;  // standard errors
  const BlockGibbs sweep({path.hidden, path.visible});
  BurntIn burnt{std::move(v)};
  if (reverse.burn_in == 0) return burnt;
  const Index some = std::max<Index>(reverse.burn_in / 2, 1);
  std::vector<double> before;
  for (std::uint64_t round = 0; round < 2 || !burnt.stands; ++round) {
    if (round > 1 && burnt.sweeps + some > reverse.times * reverse.burn_in) break;
    const Key own = round == 0 ? key : key.fold("longer").fold(round);
    burnt.v = gibbs(graph, sweep, burnt.v, some, own, fuse);
    burnt.sweeps += some;
    const std::vector<double> now = free_energy(graph, path.hidden, State(burnt.v)).tensor().values();
    const auto n = static_cast<double>(now.size());
    double first = 0.0, second = 0.0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      first += (now[i] - before[i]) / n;
      second += (now[i] - before[i]) * (now[i] - before[i]) / n;
    }
    const double noise = std::sqrt(std::max(0.0, second - first * first) / n);
    burnt.stands = now.size() < 2 || std::abs(first) <= kErrors * noise;
    before = now;
  }
  return burnt;
}

PartitionEstimate run(const FactorGraph& graph, const Block& visible, const Block& hidden,
                      const AnnealedImportanceOptions& options, const State* from,
                      const ReverseOptions& reverse) {
  check_ladder(options.temperatures);
  std::vector<double> ladder = options.temperatures;
  if (from != nullptr) std::reverse(ladder.begin(), ladder.end());
  const Index chains = from != nullptr ? from->batch() : options.chains;
  if (chains < 1 || options.batch < 1 || reverse.burn_in < 0) {
    throw Error(
        fmt::format("[annealed_importance] expected chains and a batch >= 1 and a burn-in >= 0, received {}, "
                    "{} and {}",
                    chains, options.batch, reverse.burn_in));
  }
  const Path path(graph, visible, hidden, options.base);
  PartitionEstimate estimate;
  // The base model's variables are independent: both blocks are summed out apart, the other one at 0, where
  // its energy is 0.
  const FactorGraph base = path.at(0.0);
  estimate.base_log_z = -free_energy(base, visible, path.zeros(hidden, 1)).item() -
                        free_energy(base, hidden, path.zeros(visible, 1)).item();
  bool stands = true;
  std::uint64_t batch = 0;
  for (Index begin = 0; begin < chains; begin += options.batch, ++batch) {
    const Index count = std::min(options.batch, chains - begin);
    const Key key = options.key.fold("batch").fold(batch);
    std::unique_ptr<AnnealedChains> walkers;
    if (options.fuse == Fuse::Auto)
      walkers = bipartite_chains(graph, visible, path.biases.front(), path.own_bias, count);
    if (walkers) estimate.rules = {"bipartite"};
    if (!walkers && options.fuse == Fuse::Auto) {
      walkers = layered_chains(graph, visible, path.biases, count);
      if (walkers) estimate.rules = {"layered"};
    }
    if (!walkers) walkers = std::make_unique<DerivedChains>(path, count);
    if (from != nullptr) {
      State v;
      for (const Variable& variable : visible)
        v.set(variable, (*from)[variable].tensor().rows(begin, begin + count));
      const BurntIn burnt = burn_in(graph, path, v, reverse, key.fold("burn_in"), options.fuse);
      estimate.burn_in = std::max(estimate.burn_in, burnt.sweeps);
      stands = stands && burnt.stands;
      walkers->start(burnt.v);
    } else {
      walkers->start(key.fold("base"));
    }
    for (std::size_t i = 1; i < ladder.size(); ++i) {
      walkers->weigh(ladder[i - 1], ladder[i]);
      // The state after the last weight is not looked at.
      if (i + 1 < ladder.size())
        walkers->sweep(ladder[i], key.fold("sweep").fold(static_cast<std::uint64_t>(i)));
    }
    const std::vector<double> weights = walkers->log_weights();
    estimate.log_weights.insert(estimate.log_weights.end(), weights.begin(), weights.end());
  }

  finish_estimate(estimate, from != nullptr ? Walk::Down : Walk::Up, stands);
  return estimate;
}

}  // namespace

void check_ladder(const std::vector<double>& ladder) {
  bool rises = ladder.size() >= 2 && ladder.front() == 0.0 && ladder.back() == 1.0;
  for (std::size_t k = 1; rises && k < ladder.size(); ++k) rises = ladder[k] > ladder[k - 1];
  if (!rises) {
    throw Error(
        fmt::format("[annealed_importance] expected inverse temperatures that rise from 0 to 1, received {} "
                    "numbers; use uniform_ladder",
                    ladder.size()));
  }
}

void finish_estimate(PartitionEstimate& estimate, Walk walk, bool stands) {
  // Forward walks average w, reverse ones 1/w.
  const ImportanceMean mean = importance_mean(estimate.log_weights);
  const double sign = walk == Walk::Down ? -1.0 : 1.0;
  const std::size_t chains = estimate.log_weights.size();
  for (double& x : estimate.log_weights) x *= sign;
  estimate.log_z = estimate.base_log_z + sign * mean.log;
  estimate.effective_samples = mean.effective;
  estimate.standard_error = mean.relative_error;
  if (!std::isfinite(mean.log)) {
    estimate.warning = "the model has diverged: its energies are not finite";
  } else if (!stands) {
    estimate.warning = fmt::format("the start chains still drift after {} sweeps", estimate.burn_in);
  } else if (mean.effective < trusted(chains)) {
    estimate.warning = fmt::format("{:.1f} of {} chains carry the estimate", mean.effective, chains);
  }
  // An error from weights like these is known to be too small.
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  if (!estimate.warning.empty()) estimate.standard_error = kUnknown;
  const double up = std::log1p(3.0 * estimate.standard_error);
  const double down =
      estimate.standard_error < 1.0 / 3.0 ? std::log1p(-3.0 * estimate.standard_error) : -kUnknown;
  estimate.low = estimate.log_z + (sign < 0.0 ? -up : down);
  estimate.high = estimate.log_z + (sign < 0.0 ? -down : up);
}

std::vector<double> uniform_ladder(Index count) {
  if (count < 1)
    throw Error(fmt::format("[uniform_ladder] expected at least 1 temperature, received {}", count));
  std::vector<double> ladder{0.0};
  rise(ladder, 1.0, count);
  return ladder;
}

std::vector<double> three_part_ladder(Index count) {
  if (count < 3)
    throw Error(fmt::format("[three_part_ladder] expected at least 3 temperatures, received {}", count));
  const auto all = static_cast<double>(count);
  const Index low = std::max<Index>(1, std::llround(all * 500.0 / 14500.0));
  const Index middle = std::max<Index>(1, std::llround(all * 4000.0 / 14500.0));
  std::vector<double> ladder{0.0};
  rise(ladder, 0.5, low);
  rise(ladder, 0.9, middle);
  rise(ladder, 1.0, count - low - middle);
  return ladder;
}

Tensor base_bias(const FactorGraph& graph, const Variable& variable, const Tensor& sums, Index samples) {
  const Placement exact{Dtype::F64, sums.device()};
  const Value counts = sums.to(exact);
  const auto n = static_cast<double>(samples);
  Value bias;
  switch (variable.domain) {
    case Domain::Binary:
      bias = log(counts + 1.0) - log((n + 1.0) - counts);
      break;
    case Domain::Categorical:
      bias = log(counts + 1.0);
      break;
    case Domain::Real:
    case Domain::NonNegative: {
      const std::vector<TermOf<Quadratic>> found = graph.factors<Quadratic>(variable);
      if (found.empty())
        throw Error(
            fmt::format("[base_bias] expected a Quadratic on {}, received none; add one", variable.name));
      bias = counts / n * Value(found.front().factor->precision(graph.placement()).tensor().to(exact));
      break;
    }
  }
  return bias.tensor().to(graph.placement());
}

PartitionEstimate annealed_importance(const FactorGraph& graph, const Block& visible, const Block& hidden,
                                      const AnnealedImportanceOptions& options) {
  return run(graph, visible, hidden, options, nullptr, {});
}

PartitionEstimate reverse_annealed_importance(const FactorGraph& graph, const Block& visible,
                                              const Block& hidden, const State& start,
                                              const AnnealedImportanceOptions& options,
                                              ReverseOptions reverse) {
  return run(graph, visible, hidden, options, &start, reverse);
}

}  // namespace basin

#include "energy/likelihood/annealed_importance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/bias.h"
#include "energy/factors/quadratic.h"
#include "energy/likelihood/bipartite_annealing.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/gibbs.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// -b.v with a constant b: the base model's bias.
class BaseBias final : public Factor {
 public:
  BaseBias(Variable v, Tensor bias) : variable_(std::move(v)), bias_(std::move(bias)) {}
  std::string name() const override { return "BaseBias(" + variable_.name + ")"; }
  std::vector<Variable> scope() const override { return {variable_}; }
  Order order_in(const Variable& /*variable*/) const override { return Order::Affine; }
  bool reads_context() const override { return false; }
  Value energy(const State& state) const override {
    const Value& v = state[variable_];
    return -reshape(matmul(flatten(v), reshape(bias_, {variable_.size(), 1})), {v.dim(0)});
  }

 private:
  Variable variable_;
  Value bias_;
};

/// E_beta of a graph for any beta, from one set of factors.
class Path {
 public:
  Path(const FactorGraph& graph, const Block& visible, const Block& hidden, const BaseRate& base)
      : graph_(graph), visible_(visible), hidden_(hidden) {
    if (visible.empty() || hidden.empty() || visible.size() + hidden.size() != graph.variables().size() ||
        !std::all_of(graph.variables().begin(), graph.variables().end(), [&](const Variable& variable) {
          return std::count(visible.begin(), visible.end(), variable) +
                     std::count(hidden.begin(), hidden.end(), variable) ==
                 1;
        })) {
      throw Error(
          fmt::format("[annealed_importance] expected each of the graph's {} variables in one of the two "
                      "blocks, received {} + {}",
                      graph.variables().size(), visible.size(), hidden.size()));
    }
    for (const Variable& variable : graph.variables())
      base_and_graph_.variable(variable.name, variable.domain, variable.shape);
    for (const Variable& variable : visible) {
      Tensor bias = Tensor::zeros({variable.size()}, graph.placement());
      const auto given = base.find(variable.name);
      if (given != base.end()) {
        bias = given->second.to(graph.placement()).reshaped({variable.size()});
      } else {
        for (const auto& [own, weight] : graph.factors<Bias>(variable))
          bias = (Value(bias) + Value(own->bias().tensor()) * weight).tensor();
      }
      own_bias_.push_back(given == base.end());
      base_and_graph_.add(BaseBias(variable, bias));
      biases_.push_back(std::move(bias));
    }
    base_and_graph_.add_all(graph);
    const std::vector<TermOf<Quadratic>> quadratics = graph.factors<Quadratic>();
    for (const FactorGraph::Term& term : graph.terms()) {
      stays_.push_back(std::any_of(quadratics.begin(), quadratics.end(),
                                   [&](const auto& each) { return each.factor == term.factor; }));
    }
  }

  FactorGraph at(double beta) const {
    return base_and_graph_.weighted([&](std::size_t i, const FactorGraph::Term& term) {
      if (i < visible_.size()) return 1.0 - beta;
      return stays_[i - visible_.size()] ? term.weight : beta * term.weight;
    });
  }

  /// Values 0 of a block, for where only their being there matters.
  State zeros(const Block& block, Index samples) const {
    State state;
    for (const Variable& variable : block)
      state.set(variable, Tensor::zeros(batched(variable, samples), graph_.placement()));
    return state;
  }

  /// The base model's variables are independent: both blocks are summed out apart, the other one at 0, where
  /// its energy is 0.
  double base_log_z() const {
    const FactorGraph base = at(0.0);
    return -free_energy(base, visible_, zeros(hidden_, 1)).item() -
           free_energy(base, hidden_, zeros(visible_, 1)).item();
  }

  const Tensor& bias(std::size_t i) const { return biases_[i]; }
  bool own_bias(std::size_t i) const { return own_bias_[i]; }

 private:
  const FactorGraph& graph_;
  const Block &visible_, &hidden_;
  FactorGraph base_and_graph_;  // a BaseBias of each visible variable, then the graph's own terms
  std::vector<Tensor> biases_;
  std::vector<bool> own_bias_, stays_;  // of each visible variable; of each of the graph's terms
};

/// Moves of one run.
struct Sweeps {
  BlockGibbs visible, both;
};

/// Chains of the derived path; the same moves as BipartiteAnnealing.
class DerivedAnnealing {
 public:
  DerivedAnnealing(const Path& path, const Block& visible, const Block& hidden, const Sweeps& sweeps,
                   Index chains)
      : path_(path),
        visible_(visible),
        hidden_(hidden),
        sweeps_(sweeps),
        log_weights_(static_cast<std::size_t>(chains)) {}

  void start(Key key) {
    const State others = path_.zeros(hidden_, static_cast<Index>(log_weights_.size()));
    keep(sweeps_.visible(path_.at(0.0), others, key));
  }
  void start(const State& v) { keep(v); }
  void weigh(double from, double to) {
    add(-1.0, free_energy(path_.at(to), hidden_, v_));
    add(1.0, free_energy(path_.at(from), hidden_, v_));
  }
  void sweep(double beta, Key key) { keep(sweeps_.both(path_.at(beta), v_, key)); }
  const std::vector<double>& log_weights() const { return log_weights_; }

 private:
  void keep(const State& state) {
    v_ = State();
    for (const Variable& variable : visible_) v_.set(variable, state[variable]);
  }
  void add(double sign, const Value& energy) {
    const std::vector<double> values = energy.tensor().values();
    for (std::size_t i = 0; i < values.size(); ++i) log_weights_[i] += sign * values[i];
  }

  const Path& path_;
  const Block &visible_, &hidden_;
  const Sweeps& sweeps_;
  State v_;
  std::vector<double> log_weights_;
};

struct Direction {
  const State* start = nullptr;  // of a reverse run
  Index burn_in = 0;
};

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

/// Walks all temperatures with chains of either path: sweep k is under key.fold("sweep").fold(k).
template <class Weigh, class Sweep>
void walk(const std::vector<double>& ladder, bool reverse, Key key, Weigh weigh, Sweep sweep) {
  const std::size_t last = ladder.size() - 1;
  for (std::size_t i = 1; i <= last; ++i) {
    const std::size_t k = reverse ? last - i + 1 : i;
    weigh(ladder[k - 1], ladder[k]);
    // The state after the last weight is not looked at.
    if (i < last) sweep(ladder[reverse ? k - 1 : k], key.fold("sweep").fold(static_cast<std::uint64_t>(i)));
  }
}

/// log mean exp and its error from log weights.
struct Mean {
  double log = 0.0, relative_error = 0.0, effective = 0.0;
};

Mean mean_of(const std::vector<double>& logs) {
  const double top = *std::max_element(logs.begin(), logs.end());
  double first = 0.0, second = 0.0;
  for (const double x : logs) {
    const double w = std::exp(x - top);
    first += w;
    second += w * w;
  }
  const auto n = static_cast<double>(logs.size());
  const double mean = first / n;
  const double variance = n > 1.0 ? std::max(0.0, (second - n * mean * mean) / (n - 1.0))
                                  : std::numeric_limits<double>::infinity();
  return {top + std::log(mean), std::sqrt(variance / n) / mean, first * first / second};
}

PartitionEstimate run(const FactorGraph& graph, const Block& visible, const Block& hidden,
                      const AnnealedImportanceOptions& options, const Direction& direction) {
  check_ladder(options.temperatures);
  const bool reverse = direction.start != nullptr;
  const Index chains = reverse ? direction.start->batch() : options.chains;
  if (chains < 1 || options.batch < 1) {
    throw Error(fmt::format("[annealed_importance] expected chains and a batch >= 1, received {} and {}",
                            chains, options.batch));
  }
  const Path path(graph, visible, hidden, options.base);
  std::optional<Bipartite> pattern = options.fuse == Fuse::Auto ? recognise_bipartite(graph) : std::nullopt;
  if (pattern && !BipartiteAnnealing::covers(*pattern, pattern->side(visible.front()))) pattern.reset();

  PartitionEstimate estimate;
  estimate.base_log_z = path.base_log_z();
  if (pattern) estimate.rules = {"bipartite"};
  const Sweeps sweeps{BlockGibbs({visible}), BlockGibbs({hidden, visible})};
  std::uint64_t batch = 0;
  for (Index begin = 0; begin < chains; begin += options.batch, ++batch) {
    const Index count = std::min(options.batch, chains - begin);
    const Key key = options.key.fold("batch").fold(batch);
    State start;
    if (reverse) {
      for (const Variable& variable : visible)
        start.set(variable, (*direction.start)[variable].tensor().rows(begin, begin + count));
      start = gibbs(graph, sweeps.both, start, direction.burn_in, key.fold("burn_in"), options.fuse);
    }
    std::vector<double> weights;
    if (pattern) {
      BipartiteAnnealing annealing(graph, *pattern, pattern->side(visible.front()), path.bias(0),
                                   path.own_bias(0), count);
      if (reverse) {
        annealing.start(start[visible.front()].tensor());
      } else {
        annealing.start(key.fold("base").fold(std::uint64_t{0}).fold(visible.front().name));
      }
      walk(
          options.temperatures, reverse, key, [&](double from, double to) { annealing.weigh(from, to); },
          [&](double beta, Key sweep) { annealing.sweep(beta, sweep); });
      weights = annealing.log_weights();
    } else {
      DerivedAnnealing annealing(path, visible, hidden, sweeps, count);
      if (reverse) {
        annealing.start(start);
      } else {
        annealing.start(key.fold("base"));
      }
      walk(
          options.temperatures, reverse, key, [&](double from, double to) { annealing.weigh(from, to); },
          [&](double beta, Key sweep) { annealing.sweep(beta, sweep); });
      weights = annealing.log_weights();
    }
    estimate.log_weights.insert(estimate.log_weights.end(), weights.begin(), weights.end());
  }

  // Forward runs average w, reverse ones 1/w.
  const double sign = reverse ? -1.0 : 1.0;
  std::vector<double> logs = estimate.log_weights;
  for (double& x : logs) x *= sign;
  const Mean mean = mean_of(logs);
  const double up = std::log1p(3.0 * mean.relative_error);
  const double down = mean.relative_error < 1.0 / 3.0 ? std::log1p(-3.0 * mean.relative_error)
                                                      : -std::numeric_limits<double>::infinity();
  estimate.log_z = estimate.base_log_z + sign * mean.log;
  estimate.standard_error = mean.relative_error;
  estimate.low = estimate.log_z + (reverse ? -up : down);
  estimate.high = estimate.log_z + (reverse ? -down : up);
  estimate.effective_samples = mean.effective;
  return estimate;
}

}  // namespace

std::vector<double> uniform_ladder(Index count) {
  if (count < 1)
    throw Error(fmt::format("[uniform_ladder] expected at least 1 temperature, received {}", count));
  std::vector<double> ladder;
  for (Index k = 0; k <= count; ++k) ladder.push_back(static_cast<double>(k) / static_cast<double>(count));
  return ladder;
}

std::vector<double> three_part_ladder(Index count) {
  if (count < 3)
    throw Error(fmt::format("[three_part_ladder] expected at least 3 temperatures, received {}", count));
  const auto all = static_cast<double>(count);
  const Index low = std::max<Index>(1, std::llround(all * 500.0 / 14500.0));
  const Index middle = std::max<Index>(1, std::llround(all * 4000.0 / 14500.0));
  const Index high = count - low - middle;
  std::vector<double> ladder{0.0};
  const auto rise = [&](double from, double to, Index steps) {
    for (Index k = 1; k <= steps; ++k)
      ladder.push_back(k == steps ? to
                                  : from + (to - from) * static_cast<double>(k) / static_cast<double>(steps));
  };
  rise(0.0, 0.5, low);
  rise(0.5, 0.9, middle);
  rise(0.9, 1.0, high);
  return ladder;
}

Tensor base_bias(const FactorGraph& graph, const Variable& variable, const Tensor& data) {
  const Index samples = data.dim(0);
  const Value x = data.to(Dtype::F64).reshaped({samples, variable.size()});
  return base_bias(graph, variable, sum(x, {0}).tensor(), samples);
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
  return run(graph, visible, hidden, options, {});
}

PartitionEstimate reverse_annealed_importance(const FactorGraph& graph, const Block& visible,
                                              const Block& hidden, const State& start,
                                              const AnnealedImportanceOptions& options,
                                              ReverseOptions reverse) {
  return run(graph, visible, hidden, options, {&start, reverse.burn_in});
}

}  // namespace basin

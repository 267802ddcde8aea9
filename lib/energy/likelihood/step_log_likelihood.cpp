#include "energy/likelihood/step_log_likelihood.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "autograd/ops.h"
#include "energy/likelihood/annealed_importance.h"
#include "energy/likelihood/importance_mean.h"
#include "energy/marginal/enumerate.h"
#include "energy/marginal/step_bipartite.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kRows = 4096;               // chains that run together
constexpr Index kNumbers = Index{1} << 22;  // of enumerated states at a time

/// The machines of a batch, and which side of them is visible.
struct Steps {
  StepMachines machines;
  int visible;

  Steps(const FactorGraph& graph, const StepBipartite& pattern, const Variable& v, const State& batch)
      : machines(graph, pattern, batch), visible(pattern.side(v)) {}

  /// log p of every step under its log Z.
  StepLogLikelihoods under(const std::vector<double>& log_z, const Value& v) const {
    StepLogLikelihoods result;
    result.lengths = machines.lengths();
    result.nats = machines.free_energy(visible, machines.rows_of(v)).tensor().values();
    std::ranges::transform(result.nats, log_z, result.nats.begin(),
                           [](double free, double z) { return -free - z; });
    return result;
  }
};

Steps steps_of(const FactorGraph& graph, const Variable& visible, const State& batch) {
  const std::optional<StepBipartite> pattern = recognise_step_bipartite(graph);
  if (!pattern || pattern->side(visible) < 0) {
    throw Error(
        fmt::format("[step_log_likelihood] expected a StepBilinear of two binary sequences and a StepScore "
                    "of both, one of them {}, received another graph; build it by recurrent_rbm()",
                    visible.name));
  }
  return {graph, *pattern, visible, batch};
}

/// Biases of a base model of v for each step: b + W m.
Value base_of(const Steps& steps, Index updates) {
  const StepMachines& machines = steps.machines;
  const int v = steps.visible, h = 1 - v;
  Value base = machines.bias(v), mean = sigmoid(base);
  for (Index i = 0; i < updates; ++i) {
    base = machines.input(v, sigmoid(machines.input(h, mean)));
    mean = 0.5 * (mean + sigmoid(base));
  }
  return base.detached();
}

Tensor copies(const Value& rows, Index begin, Index end, Index count) {
  const std::vector<Value> all(static_cast<std::size_t>(count), slice(rows, 0, begin, end));
  return concat(all, 0).detached().tensor();
}

/// Log weights of `count` chains of each step in [begin, end), chain after chain.
std::vector<double> log_weights(const Steps& steps, const Value& base, Index begin, Index end,
                                const StepAnnealingOptions& options, Key key) {
  const StepMachines& machines = steps.machines;
  const int v = steps.visible, h = 1 - v;
  const Tensor a = copies(base, begin, end, options.chains),
               b = copies(machines.bias(v), begin, end, options.chains),
               c = copies(machines.bias(h), begin, end, options.chains);
  const Value slope = Value(b) - Value(a);
  const Tensor& weight = machines.weight().tensor();
  Backend& kernels = backend(weight.device());
  const Index rows = a.dim(0);
  const Tensor none = Tensor::zeros({c.dim(1)}, c.placement());
  const Tensor weights = Tensor::zeros({rows}, {Dtype::F64, weight.device()});
  const Tensor x = Tensor(a.shape(), a.placement()), y = Tensor(c.shape(), c.placement());
  draw_bits(a, key.fold("base"), 0, x);
  const std::vector<double> ladder = uniform_ladder(options.temperatures);
  for (std::size_t i = 1; i < ladder.size(); ++i) {
    const double beta = ladder[i], rise = beta - ladder[i - 1];
    // log w += rise (b - a).v + sum_j softplus(beta u_j) - softplus(beta' u_j),  u = c + v W.
    y.copy_from(c);
    multiply_by_weight(weight, v, 1.0, x, 1.0, y);
    kernels.softplus_difference(y.dtype(), y.data(), none.data(), rows, y.dim(1), ladder[i - 1], beta,
                                static_cast<double*>(weights.data()));
    const Tensor more = sum(slope * Value(x), {1}).tensor().to(Dtype::F64);
    kernels.axpby(Dtype::F64, rise, more.data(), 1.0, weights.data(), rows);
    if (i + 1 == ladder.size()) break;  // the state after the last weight is not looked at
    const Key sweep = key.fold("sweep").fold(i);
    draw_bits(y, sweep.fold("h"), 0, y, beta);
    x.copy_from(a);
    kernels.axpby(x.dtype(), beta, b.data(), 1.0 - beta, x.data(), x.size());
    multiply_by_weight(weight, h, beta, y, 1.0, x);
    draw_bits(x, sweep.fold("v"), 0, x);
  }
  return weights.values();
}

}  // namespace

double StepLogLikelihoods::mean() const {
  return std::accumulate(nats.begin(), nats.end(), 0.0) / static_cast<double>(nats.size());
}

double StepLogLikelihoods::standard_error() const {
  double squares = 0.0;
  for (const double each : relative_errors) squares += each * each;
  return std::sqrt(squares) / static_cast<double>(nats.size());
}

double StepLogLikelihoods::bias() const {
  double squares = 0.0;
  for (const double each : relative_errors) squares += each * each;
  return 0.5 * squares / static_cast<double>(nats.size());
}

StepLogLikelihoods anneal_steps(const FactorGraph& graph, const Variable& visible, const State& batch,
                                const StepAnnealingOptions& options) {
  if (options.chains < 1 || options.temperatures < 1 || options.mean_field < 0) {
    throw Error(
        fmt::format("[anneal_steps] expected chains and temperatures >= 1 and updates >= 0, received {}, {} "
                    "and {}",
                    options.chains, options.temperatures, options.mean_field));
  }
  const Steps steps = steps_of(graph, visible, batch);
  const Value base = base_of(steps, options.mean_field);
  // The base model's Z is exact: v by its biases, h by the toss of a coin.
  std::vector<double> log_z = sum(softplus(base), {1}).tensor().values(), effective, errors;
  const double hidden = static_cast<double>(steps.machines.units(1 - steps.visible)) * std::numbers::ln2;
  const Index together = std::max<Index>(1, kRows / options.chains);
  for (Index begin = 0; begin < steps.machines.rows(); begin += together) {
    const Index end = std::min(begin + together, steps.machines.rows());
    const std::vector<double> logs =
        log_weights(steps, base, begin, end, options, options.key.fold(static_cast<std::uint64_t>(begin)));
    const auto count = static_cast<std::size_t>(end - begin);
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<double> own;  // of one step's chains
      for (std::size_t k = i; k < logs.size(); k += count) own.push_back(logs[k]);
      const ImportanceMean mean = importance_mean(own);
      log_z[static_cast<std::size_t>(begin) + i] += hidden + mean.log;
      effective.push_back(mean.effective);
      errors.push_back(mean.relative_error);
    }
  }
  StepLogLikelihoods result = steps.under(log_z, batch[visible]);
  result.effective_samples = std::move(effective);
  result.relative_errors = std::move(errors);
  return result;
}

StepLogLikelihoods enumerate_steps(const FactorGraph& graph, const Variable& visible, const State& batch) {
  const Steps steps = steps_of(graph, visible, batch);
  const StepMachines& machines = steps.machines;
  const int side = machines.units(0) <= machines.units(1) ? 0 : 1;
  const Variable few{"states", Domain::Binary, {machines.units(side)}, 0};
  const Value states =
      enumerate_states({few}, 0, state_count({few}, Index{1} << kMostSummedUnits), graph.placement())[few];
  const Value inputs = matmul(states, machines.weight(), {.transpose_b = side == 1}).detached();
  const Index count = states.dim(0), others = machines.units(1 - side);
  const Index together = std::max<Index>(1, kNumbers / (count * others));
  std::vector<double> log_z;
  for (Index begin = 0; begin < machines.rows(); begin += together) {
    const Index end = std::min(begin + together, machines.rows());
    const Value own = slice(machines.bias(side), 0, begin, end).detached(),
                other = slice(machines.bias(1 - side), 0, begin, end).detached();
    const Value summed =
        sum(softplus(reshape(inputs, {1, count, others}) + reshape(other, {end - begin, 1, others})), {2});
    const std::vector<double> part =
        log_sum_exp(summed + matmul(own, states, {.transpose_b = true}), 1).tensor().values();
    log_z.insert(log_z.end(), part.begin(), part.end());
  }
  return steps.under(log_z, batch[visible]);
}

}  // namespace basin

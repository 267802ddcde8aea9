#include "energy/objectives/contrastive_divergence.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/free_energy.h"
#include "energy/marginal/latent_check.h"
#include "energy/objectives/bipartite_divergence.h"
#include "energy/sample/persistent.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The same cycle of blocks, begun at the first that has a visible variable.
std::vector<Block> rotated(std::vector<Block> blocks, const Block& visible) {
  const auto first = std::find_if(blocks.begin(), blocks.end(), [&](const Block& block) {
    return std::any_of(block.begin(), block.end(),
                       [&](const Variable& variable) { return contains(visible, variable); });
  });
  if (first == blocks.end()) {
    throw Error(
        "[contrastive_divergence] expected a sweep that moves a visible variable, received one that moves "
        "none; add {v} to its blocks");
  }
  std::rotate(blocks.begin(), first, blocks.end());
  return blocks;
}

/// While it lives, parameters hold other numbers; afterwards their own tensors again.
class Exchanged {
 public:
  Exchanged(std::vector<Parameter> parameters, const std::vector<Tensor>& fast)
      : parameters_(std::move(parameters)) {
    for (const Parameter& parameter : parameters_) own_.push_back(parameter.tensor());
    for (std::size_t i = 0; i < fast.size(); ++i)
      parameters_[i].set((Value(own_[i]) + Value(fast[i])).tensor());
  }
  ~Exchanged() {
    for (std::size_t i = 0; i < own_.size(); ++i) parameters_[i].set(own_[i]);
  }
  Exchanged(const Exchanged&) = delete;
  Exchanged& operator=(const Exchanged&) = delete;

 private:
  std::vector<Parameter> parameters_;
  std::vector<Tensor> own_;
};

const Parameter& bias_parameter(const FactorGraph& graph, const Variable& variable) {
  for (const FactorGraph::Term& term : graph.terms()) {
    const auto* bias = dynamic_cast<const Bias*>(term.factor.get());
    if (bias && bias->variable() == variable) return bias->bias();
  }
  throw Error(fmt::format("[centring] expected a Bias on {}, received none; add one", variable.name));
}

std::vector<Value> leaves(const std::vector<Parameter>& parameters) {
  std::vector<Value> values;
  for (const Parameter& parameter : parameters) values.push_back(parameter.value());
  return values;
}

/// cost/2 sum_j (target - mean_n E[h_j | v_n])^2 over all latents.
Value sparsity_price(const FactorGraph& graph, const Block& latents, const State& batch,
                     const Sparsity& sparsity) {
  Value price;
  for (const Conditional& each : conditional(graph, latents, batch, {.differentiable = true})) {
    const Value excess = sparsity.target - mean(each.mean(), {0});
    const Value part = 0.5 * sparsity.cost * sum(square(excess));
    price = price.defined() ? price + part : part;
  }
  return price;
}

/// d loss / d b of the mean energy of samples is minus their mean; -> that mean, as the bias's shape.
Tensor mean_from(const Value& bias_gradient) { return (-bias_gradient).tensor(); }

}  // namespace

ContrastiveDivergence::ContrastiveDivergence(Block visible, BlockGibbs sweep,
                                             ContrastiveDivergenceOptions options)
    : visible_(std::move(visible)),
      sweep_(std::move(sweep)),
      rotated_(rotated(sweep_.blocks(), visible_)),
      options_(options),
      fused_(std::make_shared<BipartiteDivergence>()),
      check_(std::make_shared<LatentCheck>()) {
  if (options.steps < 1)
    throw Error(fmt::format("[contrastive_divergence] expected at least 1 step, received {}", options.steps));
  if (options.chains < 0 || (options.chains > 0 && !options.persistent)) {
    throw Error(
        fmt::format("[contrastive_divergence] expected a number of chains with persistent chains only, "
                    "received {}; set persistent",
                    options.chains));
  }
  if (options.fast_rate < 0.0 || (options.fast_rate > 0.0 && !options.persistent)) {
    throw Error(
        fmt::format("[contrastive_divergence] expected fast weights with persistent chains only, received "
                    "rate {}; set persistent",
                    options.fast_rate));
  }
  if (!(options.centring >= 0.0 && options.centring <= 1.0)) {
    throw Error(fmt::format("[contrastive_divergence] expected a centring rate in [0, 1], received {}",
                            options.centring));
  }
  if (!(options.sparsity.cost >= 0.0)) {
    throw Error(fmt::format("[contrastive_divergence] expected a sparsity cost >= 0, received {}",
                            options.sparsity.cost));
  }
}

ContrastiveDivergence::ContrastiveDivergence(Variable visible, BlockGibbs sweep,
                                             ContrastiveDivergenceOptions options)
    : ContrastiveDivergence(Block{std::move(visible)}, std::move(sweep), options) {}

std::string ContrastiveDivergence::name() const {
  return fmt::format("{}{}cd-{}", options_.fast_rate > 0.0 ? "f" : "", options_.persistent ? "p" : "",
                     options_.steps);
}

Block ContrastiveDivergence::latents(const FactorGraph& graph) const {
  Block rest;
  for (const Variable& variable : graph.variables()) {
    if (!contains(visible_, variable)) rest.push_back(variable);
  }
  return rest;
}

std::vector<std::string> ContrastiveDivergence::rules(const FactorGraph& graph) const {
  const std::optional<Bipartite> pattern =
      options_.fuse == Fuse::Auto ? recognise_bipartite(graph) : std::nullopt;
  const BlockGibbs& order = options_.persistent ? rotated_ : sweep_;
  if (pattern && BipartiteDivergence::covers(*pattern, visible_, order, options_)) return {"bipartite"};
  return {};
}

Evaluation ContrastiveDivergence::evaluate(const FactorGraph& graph, const State& batch, Carry& carry,
                                           Key key, EvaluateOptions options) const {
  const std::optional<Bipartite> pattern =
      options_.fuse == Fuse::Auto ? recognise_bipartite(graph) : std::nullopt;
  const BlockGibbs& order = options_.persistent ? rotated_ : sweep_;
  if (!pattern || !BipartiteDivergence::covers(*pattern, visible_, order, options_)) {
    return evaluate_derived(graph, batch, carry, key, options);
  }
  const Variable& v = visible_.front();
  BipartiteDivergence::Result result = fused_->evaluate(graph, *pattern, v, batch, carry, key, options_);
  Evaluation evaluation{std::move(result.gradients), {}};
  if (options.metrics) {
    Shape shape = batch[v].shape();
    shape[0] = result.negative.dim(0);
    const State negative = State().set(v, result.negative.reshaped(shape));
    const Block h = latents(graph);
    evaluation.metrics = measure(
        graph, batch, (mean(free_energy(graph, h, batch)) - mean(free_energy(graph, h, negative))).item());
  }
  return evaluation;
}

Evaluation ContrastiveDivergence::evaluate_derived(const FactorGraph& graph, const State& batch, Carry& carry,
                                                   Key key, EvaluateOptions options) const {
  const Block h = latents(graph);
  (*check_)(graph, h);
  const std::vector<Parameter> parameters = graph.parameters();
  const std::vector<Tensor> fast =
      options_.fast_rate > 0.0 ? fast_weights(carry, parameters) : std::vector<Tensor>{};

  // The negative phase: where chains begin, and their moves.
  State chains = batch;
  if (options_.persistent) {
    const auto carried_particles = [&](const Variable& variable) {
      const Index count =
          carry.contains("particles." + variable.name) ? carry.at("particles." + variable.name).dim(0) : 0;
      Shape shape{count};
      shape.insert(shape.end(), variable.shape.begin(), variable.shape.end());
      return carried(carry, "particles." + variable.name, shape, graph.placement());
    };
    if (!carried_particles(visible_.front()).defined()) {
      chains = State();
      const Index count = options_.chains > 0 ? options_.chains : batch.batch();
      for (const Variable& variable : visible_)
        chains.set(variable, first_samples(batch[variable].tensor(), count));
      if (!h.empty()) chains = BlockGibbs({h})(graph, chains, key.fold("start"));
    } else {
      chains = State();
      for (const Variable& variable : graph.variables()) chains.set(variable, carried_particles(variable));
    }
  }
  {
    const Exchanged moving(parameters, fast);
    chains =
        iterate(options_.persistent ? rotated_ : sweep_, graph, chains, options_.steps, key.fold("gibbs"));
  }
  State negative;
  for (const Variable& variable : visible_) negative.set(variable, chains[variable]);
  if (options_.persistent) {
    for (const Variable& variable : graph.variables())
      carry["particles." + variable.name] = chains[variable].tensor();
  }

  // The loss and its gradient. Centring needs the two phases apart, for the means in them.
  const Value data_energy = mean(free_energy(graph, h, batch)),
              model_energy = mean(free_energy(graph, h, negative));
  const Value loss = data_energy - model_energy;
  Value priced = loss;
  if (options_.sparsity.cost > 0.0) priced = priced + sparsity_price(graph, h, batch, options_.sparsity);
  Evaluation evaluation;
  for (const Value& gradient : grad(priced, leaves(parameters)))
    evaluation.gradients.emplace_back(gradient.tensor());
  if (options_.centring > 0.0) {
    const std::vector<Variable> centred = centred_variables(graph);
    std::vector<Parameter> biases;
    for (const Variable& variable : centred) biases.push_back(bias_parameter(graph, variable));
    std::vector<Value> means = grad(data_energy, leaves(biases));
    if (options_.offsets == Offsets::Average) {
      const std::vector<Value> model = grad(model_energy, leaves(biases));
      for (std::size_t i = 0; i < means.size(); ++i) means[i] = 0.5 * (means[i] + model[i]);
    }
    CentringOffsets offsets(graph.variables().size());
    for (std::size_t i = 0; i < centred.size(); ++i) {
      offsets[static_cast<std::size_t>(centred[i].index)] =
          slide_offset(carry, centred[i].name, mean_from(means[i]), options_.centring);
    }
    // What grad returned may be shared between parameters; what is overwritten must not be.
    for (Gradient& gradient : evaluation.gradients) {
      if (gradient.dense().rank() == 1) gradient = Gradient(gradient.dense().clone());
    }
    Scratch scratch;
    centre(graph, offsets, evaluation.gradients, scratch);
  }
  if (options_.fast_rate > 0.0) update_fast_weights(fast, evaluation.gradients, options_.fast_rate);
  if (options.metrics) evaluation.metrics = measure(graph, batch, loss.item());
  return evaluation;
}

std::map<std::string, double> ContrastiveDivergence::measure(const FactorGraph& graph, const State& batch,
                                                             double loss) const {
  std::map<std::string, double> metrics{{"loss", loss}};
  const Block h = latents(graph);
  if (options_.sparsity.cost > 0.0)
    metrics["sparsity"] = sparsity_price(graph, h, batch, options_.sparsity).item();
  State expected = batch;
  double hidden_sum = 0.0, hidden_count = 0.0;
  for (const Conditional& each : conditional(graph, h, batch)) {
    const Value mean_of_units = each.mean();
    expected.set(each.variable, mean_of_units);
    hidden_sum += sum(mean_of_units).item();
    hidden_count += static_cast<double>(mean_of_units.tensor().size());
  }
  if (hidden_count > 0.0) metrics["hidden_mean"] = hidden_sum / hidden_count;
  double error = 0.0;
  for (const Block& block : sweep_.blocks()) {
    if (!std::all_of(block.begin(), block.end(),
                     [&](const Variable& variable) { return contains(visible_, variable); }))
      continue;
    for (const Conditional& each : conditional(graph, block, expected))
      error += sum(square(batch[each.variable] - each.mean())).item();
  }
  metrics["reconstruction_error"] = error / static_cast<double>(batch.batch());
  return metrics;
}

}  // namespace basin

#include "energy/objectives/contrast.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/bias.h"
#include "energy/marginal/closed_form.h"
#include "energy/marginal/conditional.h"
#include "energy/objectives/bipartite_divergence.h"
#include "energy/objectives/carried.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// What the batch lacks and the contrast does not free.
Block latents_of(const FactorGraph& graph, const ContrastTerms& terms, const State& batch) {
  Block latents;
  for (const Variable& variable : graph.variables()) {
    if (!contains(terms.freed, variable) && !batch.has(variable)) latents.push_back(variable);
  }
  return latents;
}

/// cost/2 sum_j (target - mean_n E[h_j | v_n])^2 over all latents.
Value sparsity_penalty(const FactorGraph& graph, const Block& latents, const State& batch,
                       const Sparsity& sparsity) {
  Value penalty;
  for (const Conditional& each : conditional(graph, latents, batch, {.differentiable = true})) {
    const Value excess = sparsity.target - mean(each.mean(), {0});
    const Value part = 0.5 * sparsity.cost * sum(square(excess));
    penalty = penalty.defined() ? penalty + part : part;
  }
  return penalty;
}

std::vector<Value> bias_leaves(const FactorGraph& graph, const std::vector<Variable>& centred) {
  std::vector<Value> biases;
  for (const Variable& variable : centred)
    biases.push_back(graph.factors<Bias>(variable).front().factor->bias().value());
  return biases;
}

/// The offsets after a step: d energy / d b is minus the mean of b's variable in that phase.
CentringOffsets slid_offsets(const FactorGraph& graph, const Value& data_energy, const Value& model_energy,
                             const ContrastOptions& options, Carry& carry) {
  const std::vector<Variable> centred = centred_variables(graph);
  const std::vector<Value> biases = bias_leaves(graph, centred);
  std::vector<Value> slopes = grad(data_energy, biases);
  if (options.offsets == Offsets::Average) {
    const std::vector<Value> model = grad(model_energy, biases);
    for (std::size_t i = 0; i < slopes.size(); ++i) slopes[i] = 0.5 * (slopes[i] + model[i]);
  }
  CentringOffsets offsets(graph.variables().size());
  for (std::size_t i = 0; i < centred.size(); ++i) {
    offsets[static_cast<std::size_t>(centred[i].index)] =
        slide_offset(carry, centred[i].name, (-slopes[i]).tensor(), options.centring);
  }
  return offsets;
}

/// The metrics beside the loss; `data` is the batch with the means that a positive phase left, or its chains'
/// states, several a sample.
void measure(const ContrastTerms& terms, const FactorGraph& graph, const State& batch, const State& data,
             std::map<std::string, double>& metrics) {
  if (std::holds_alternative<Exact>(terms.negative)) return;
  const Block latents = latents_of(graph, terms, batch);
  if (terms.options.sparsity.cost > 0.0)
    metrics["sparsity"] = sparsity_penalty(graph, latents, batch, terms.options.sparsity).item();
  State expected = data;
  if (std::holds_alternative<Exact>(terms.positive)) {
    if (!stays_apart(graph, latents, batch)) return;
    for (const Conditional& each : conditional(graph, latents, batch))
      expected.set(each.variable, each.mean());
  }
  double hidden_sum = 0.0, hidden_count = 0.0;
  for (const Variable& latent : latents) {
    hidden_sum += sum(expected[latent]).item();
    hidden_count += static_cast<double>(expected[latent].tensor().size());
  }
  if (hidden_count > 0.0) metrics["hidden_mean"] = hidden_sum / hidden_count;
  const auto* chains = std::get_if<Chains>(&terms.negative);
  const std::vector<Block>* blocks = chains != nullptr ? chains->transition->gibbs_blocks() : nullptr;
  if (blocks == nullptr) return;
  double error = 0.0;
  for (const Block& block : *blocks) {
    if (!std::all_of(block.begin(), block.end(), [&](const Variable& x) { return contains(terms.freed, x); }))
      continue;
    for (const Conditional& each : conditional(graph, block, expected))
      error += sum(square(expected[each.variable] - each.mean())).item();
  }
  metrics["reconstruction_error"] = error / static_cast<double>(expected.batch());
}

/// True where both phases are exact and what is freed is all that is free, units that do not interact: a
/// classifier.
bool is_one_expansion(const ContrastTerms& terms, const FactorGraph& graph, const Block& latents,
                      const State& batch) {
  const auto* positive = std::get_if<Exact>(&terms.positive);
  const auto* negative = std::get_if<Exact>(&terms.negative);
  return positive != nullptr && negative != nullptr && latents.empty() &&
         stays_apart(graph, terms.freed, batch);
}

/// Mean E(y) and mean F of such units, both read off one evaluation: E(y) = E(0) - drive.y + 1/2
/// curvature.y^2.
std::pair<Value, Value> from_one_expansion(const FactorGraph& graph, const Block& freed, const State& batch) {
  const Expansion expansion = expand(graph, freed, batch);
  Value energy = expansion.energy;
  for (std::size_t i = 0; i < freed.size(); ++i) {
    const Value& y = batch[freed[i]];
    energy = energy - sum_per_sample(expansion.drive[i] * y);
    if (expansion.curvature[i].defined())
      energy = energy + 0.5 * sum_per_sample(expansion.curvature[i] * square(y));
  }
  return {mean(energy), mean(closed_form(expansion, freed, Elimination::Sum))};
}

/// The rule "bipartite", where graph and contrast are its.
std::optional<Bipartite> recognised(const FactorGraph& graph, const ContrastTerms& terms) {
  if (terms.options.fuse != Fuse::Auto) return std::nullopt;
  std::optional<Bipartite> pattern = recognise_bipartite(graph);
  if (pattern && !BipartiteDivergence::covers(*pattern, terms)) pattern.reset();
  return pattern;
}

}  // namespace

Contrast::Contrast(Block freed, Phase positive, Phase negative, ContrastOptions options)
    : terms_{std::move(freed), std::move(positive), std::move(negative), options},
      fused_(std::make_unique<BipartiteDivergence>()) {
  if (terms_.freed.empty())
    throw Error(
        "[contrast] expected a variable that the negative phase frees, received none; name it, as in {v}");
  if (!(options.centring >= 0.0 && options.centring <= 1.0))
    throw Error(fmt::format("[contrast] expected a centring rate in [0, 1], received {}", options.centring));
  if (!(options.sparsity.cost >= 0.0))
    throw Error(fmt::format("[contrast] expected a sparsity cost >= 0, received {}", options.sparsity.cost));
  if (options.sparsity.cost > 0.0 && !std::holds_alternative<Exact>(terms_.positive))
    throw Error("[contrast] expected an exact positive phase with sparsity, received another; switch it off");
  const auto* chains = std::get_if<Chains>(&terms_.positive);
  if (chains != nullptr && chains->options.fast_rate > 0.0)
    throw Error("[contrast] expected fast weights in the negative phase, received them in the positive one");
}

Contrast::Contrast(Block freed, Phase negative, ContrastOptions options)
    : Contrast(std::move(freed), Exact{}, std::move(negative), options) {}

Contrast::Contrast(const Contrast& other)
    : Objective(other), terms_(other.terms_), fused_(std::make_unique<BipartiteDivergence>()) {}

Contrast::~Contrast() = default;

std::vector<std::string> Contrast::rules(const FactorGraph& graph) const {
  return recognised(graph, terms_) ? std::vector<std::string>{"bipartite"} : std::vector<std::string>{};
}

Evaluation Contrast::evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                              EvaluateOptions options) const {
  const std::optional<Bipartite> pattern = recognised(graph, terms_);
  const Block latents = latents_of(graph, terms_, batch);
  if (!pattern || latents.size() != 1) return evaluate_derived(graph, batch, carry, key, options);
  const Variable& v = terms_.freed.front();
  BipartiteDivergence::Result result = fused_->evaluate(graph, *pattern, terms_, batch, carry, key, options);
  Evaluation evaluation{std::move(result.gradients), {}, batch.batch()};
  if (options.metrics) {
    const State negative = batch.like().set(v, result.negative.reshaped(batched(v, result.negative.dim(0))));
    evaluation.metrics["loss"] =
        (mean(free_energy(graph, latents, batch)) - mean(free_energy(graph, latents, negative))).item();
    measure(terms_, graph, batch, batch, evaluation.metrics);
  }
  return evaluation;
}

Evaluation Contrast::evaluate_derived(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                                      const EvaluateOptions& options) const {
  for (const Variable& variable : terms_.freed) {
    if (!batch.has(variable)) {
      throw Error(
          fmt::format("[contrast] expected the batch to hold {}, which the negative phase frees, received "
                      "none; bind a column of the data to it",
                      variable.name));
    }
  }
  const Block latents = latents_of(graph, terms_, batch);
  const std::vector<Parameter> parameters = graph.parameters();
  const auto* chains = std::get_if<Chains>(&terms_.negative);
  const double fast_rate = chains != nullptr ? chains->options.fast_rate : 0.0;
  const std::vector<Tensor> fast = fast_rate > 0.0 ? fast_weights(carry, parameters) : std::vector<Tensor>{};

  const PhaseCall given{.free = latents,
                        .latents = latents,
                        .start = batch,
                        .prefix = "positive.",
                        .fast = {},
                        .key = key.fold("positive")};
  State data = batch;
  Value data_energy, model_energy;
  if (is_one_expansion(terms_, graph, latents, batch)) {
    std::tie(data_energy, model_energy) = from_one_expansion(graph, terms_.freed, batch);
  } else {
    data = phase_state(terms_.positive, graph, given, carry);
    PhaseCall freed{
        .free = terms_.freed, .latents = latents, .start = data, .prefix = {}, .fast = fast, .key = key};
    freed.free.insert(freed.free.end(), latents.begin(), latents.end());
    if (const auto* means = std::get_if<MeanField>(&terms_.positive))
      freed.start = means->drawn(data, given.key.fold("draw"));
    const State model = phase_state(terms_.negative, graph, freed, carry);
    data_energy = mean(phase_energy(terms_.positive, graph, given, data));
    model_energy = mean(phase_energy(terms_.negative, graph, freed, model));
  }
  const Value loss = data_energy - model_energy;
  Value penalised = loss;
  if (terms_.options.sparsity.cost > 0.0)
    penalised = penalised + sparsity_penalty(graph, latents, batch, terms_.options.sparsity);
  const bool whole = terms_.options.centring > 0.0 || fast_rate > 0.0;  // these read every gradient
  Evaluation evaluation =
      differentiate(penalised, graph, batch.batch(),
                    {.metrics = false, .wants = whole ? std::vector<bool>{} : options.wants});
  if (terms_.options.centring > 0.0) {
    const CentringOffsets offsets = slid_offsets(graph, data_energy, model_energy, terms_.options, carry);
    // What grad returned may be shared between parameters; what is overwritten must not be.
    for (Gradient& gradient : evaluation.gradients) {
      if (gradient.dense().rank() == 1) gradient = Gradient(gradient.dense().clone());
    }
    Scratch scratch;
    centre(graph, offsets, evaluation.gradients, scratch);
  }
  if (fast_rate > 0.0) update_fast_weights(fast, evaluation.gradients, fast_rate);
  for (std::size_t i = 0; whole && i < parameters.size(); ++i) {
    if (!options.wanted(i)) evaluation.gradients[i] = Gradient();
  }
  if (options.metrics) {
    evaluation.metrics["loss"] = loss.item();
    measure(terms_, graph, batch, data, evaluation.metrics);
  }
  return evaluation;
}

}  // namespace basin

#include "energy/objectives/contrast/contrast.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <tuple>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/eliminate/component_energy.h"
#include "energy/ends.h"
#include "energy/factors/bias.h"
#include "energy/marginal/closed_form.h"
#include "energy/marginal/conditional.h"
#include "energy/objectives/contrast/bipartite_divergence.h"
#include "energy/objectives/contrast/layered_divergence.h"
#include "energy/objectives/contrast/persistent_chains.h"
#include "energy/objectives/contrast/step_divergence.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// target - mean_n q_nj of each latent, differentiable: q_nj = E[h_j | v_n] of an exact positive phase, of
/// mean field E[h_j | v_n, the means of the other latents], which are held.
std::vector<Value> sparsity_excess(const ContrastTerms& terms, const FactorGraph& graph, const Block& latents,
                                   const State& data) {
  std::vector<Value> excess;
  const auto add = [&](const Block& block) {
    for (const Conditional& each : conditional(graph, block, data, {.differentiable = true}))
      excess.push_back(terms.options.sparsity.target - mean(each.mean(), {0}));
  };
  if (std::holds_alternative<Exact>(terms.positive)) {
    add(latents);
  } else {
    for (const Variable& latent : latents) add({latent});
  }
  return excess;
}

/// Numbers of a variable, 0 past the ends of sequences.
Value ended(const FactorGraph& graph, const Variable& variable, const Value& x, const Context& context) {
  if (!context.lengths.defined() || !contains(graph.sequences(), variable)) return x;
  return x * inside_lengths(graph.find(variable.name), x.shape(), context, x.placement());
}

/// The metrics beside the loss; `data` is the batch with the means that a positive phase left, or its chains'
/// states, several a sample.
void measure(const ContrastTerms& terms, const FactorGraph& graph, const Block& latents, const State& batch,
             const State& data, std::map<std::string, double>& metrics) {
  if (std::holds_alternative<Exact>(terms.negative)) return;
  const Sparsity& sparsity = terms.options.sparsity;
  if (sparsity.cost > 0.0) {
    double& penalty = metrics["sparsity"];
    for (const Value& excess : sparsity_excess(terms, graph, latents, data))
      penalty += 0.5 * sparsity.cost * sum(square(excess)).item();
  }
  State expected = data;
  if (std::holds_alternative<Exact>(terms.positive)) {
    if (!stays_apart(graph, latents, batch)) return;
    for (const Conditional& each : conditional(graph, latents, batch))
      expected.set(each.variable, each.mean());
  }
  double hidden_sum = 0.0, hidden_count = 0.0;
  for (const Variable& latent : latents) {
    const Value& means = expected[latent];
    hidden_sum += sum(ended(graph, latent, means, expected.context())).item();
    hidden_count += sum(ended(graph, latent, ones_like(means), expected.context())).item();
  }
  if (hidden_count > 0.0) metrics["hidden_mean"] = hidden_sum / hidden_count;
  if (!stays_apart(graph, terms.freed, expected)) return;
  double error = 0.0;
  for (const Conditional& each : conditional(graph, terms.freed, expected))
    error +=
        sum(ended(graph, each.variable, square(expected[each.variable] - each.mean()), expected.context()))
            .item();
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
    const Value& inside = expansion.inside[i];
    energy = energy - sum_per_sample(expansion.drive[i] * y);
    if (expansion.curvature[i].defined())
      energy =
          energy + 0.5 * sum_per_sample(expansion.curvature[i] * square(inside.defined() ? inside * y : y));
  }
  return {mean(energy), mean(closed_form(expansion, freed, Elimination::Sum))};
}

/// The rule "bipartite", where graph and contrast are its.
std::optional<Bipartite> recognised(const FactorGraph& graph, const ContrastTerms& terms) {
  if (terms.options.fuse != Fuse::Auto) return std::nullopt;
  std::optional<Bipartite> pattern = recognise_bipartite(graph);
  if (pattern && !covers(*pattern, terms)) pattern.reset();
  return pattern;
}

/// The rule "layered", likewise.
std::optional<Layered> recognised_layers(const FactorGraph& graph, const ContrastTerms& terms) {
  if (terms.options.fuse != Fuse::Auto) return std::nullopt;
  std::optional<Layered> pattern = recognise_layered(graph);
  if (pattern && !covers(*pattern, terms)) pattern.reset();
  return pattern;
}

/// The rule "step_bipartite", likewise.
std::optional<StepBipartite> recognised_steps(const FactorGraph& graph, const ContrastTerms& terms) {
  if (terms.options.fuse != Fuse::Auto) return std::nullopt;
  std::optional<StepBipartite> pattern = recognise_step_bipartite(graph);
  if (pattern && !covers(*pattern, terms)) pattern.reset();
  return pattern;
}

/// Log Z and persistent chains that all samples share know no sample's length.
void require_own_lengths(const FactorGraph& graph, const ContrastTerms& terms, const PhaseCall& freed) {
  const Chains* chains = terms.chains();
  const bool shared =
      std::holds_alternative<Exact>(terms.negative) || (chains != nullptr && chains->options.persistent != 0);
  if (!freed.start.context().lengths.defined() || !shared || !outside(graph, freed.free, freed.start).empty())
    return;
  throw Error(
      fmt::format("[contrast] expected a clamped variable beside sequences of several lengths, received {} "
                  "free, whose negative phase would be of one length; let chains begin at the data",
                  to_string(freed.free)));
}

/// The carried "fast.<parameter>" of every parameter, zeros at first.
std::vector<Tensor> fast_weights(Carry& carry, const std::vector<Parameter>& parameters) {
  std::vector<Tensor> fast;
  for (const Parameter& parameter : parameters) {
    const std::string name = "fast." + parameter.name();
    const Tensor& own = parameter.tensor();
    fast.push_back(recall(carry, name, own.shape(), own.placement()));
    if (!fast.back().defined()) fast.back() = carry[name] = Tensor::zeros(own.shape(), own.placement());
  }
  return fast;
}

/// What the negative phase of a batch is about.
PhaseCall freed_of(const FactorGraph& graph, const ContrastTerms& terms, const State& batch, Key key) {
  if (const Block absent = missing(terms.freed, batch); !absent.empty()) {
    throw Error(
        fmt::format("[contrast] expected the batch to hold {}, which the negative phase frees, received "
                    "none; bind a column of the data to it",
                    absent.front().name));
  }
  PhaseCall freed{
      .free = terms.freed, .latents = missing(graph.variables(), batch), .start = batch, .key = key};
  freed.free.insert(freed.free.end(), freed.latents.begin(), freed.latents.end());
  require_own_lengths(graph, terms, freed);
  return freed;
}

/// The positive phase beside it.
PhaseCall given_of(const PhaseCall& freed) {
  return {.free = freed.latents,
          .latents = freed.latents,
          .start = freed.start,
          .prefix = "positive.",
          .key = freed.key.fold("positive")};
}

/// Where the two phases stand; the negative one begins where the positive one has come to.
std::pair<State, State> both_states(const FactorGraph& graph, const ContrastTerms& terms,
                                    const PhaseCall& given, PhaseCall& freed, Carry& carry) {
  const State data = phase_state(terms.positive, graph, given, carry);
  const auto* means = std::get_if<MeanField>(&terms.positive);
  freed.start = means != nullptr ? means->drawn(data, given.key.fold("draw")) : data;
  return {data, phase_state(terms.negative, graph, freed, carry)};
}

/// The phases as the energy has them.
ContrastStatistics derived(const FactorGraph& graph, const ContrastTerms& terms, PhaseCall freed,
                           Carry& carry, const EvaluateOptions& options) {
  const State& batch = freed.start;
  const PhaseCall given = given_of(freed);
  ContrastStatistics result;
  result.data = batch;
  Value data_energy, model_energy;
  if (is_one_expansion(terms, graph, freed.latents, batch)) {
    std::tie(data_energy, model_energy) =
        from_one_expansion(graph, terms.freed, observed(graph, terms.freed, batch, options));
  } else {
    std::tie(result.data, result.model) = both_states(graph, terms, given, freed, carry);
    data_energy = mean(phase_energy(terms.positive, graph, given, result.data));
    model_energy = mean(phase_energy(terms.negative, graph, freed, result.model));
  }
  Value loss = data_energy - model_energy;
  if (options.metrics) result.loss = loss.item();
  if (const double cost = terms.options.sparsity.cost; cost > 0.0) {
    for (const Value& excess : sparsity_excess(terms, graph, freed.latents, result.data)) {
      // The gradient of cost/2 sum_j excess_j^2, the excess that of the whole batch.
      const Tensor whole = excess.tensor().clone();
      if (options.reduce) options.reduce(std::array{whole}, given.start.batch());
      loss = loss + cost * sum(Value(whole) * excess);
    }
  }
  result.gradients =
      differentiate(loss, graph, given.start.batch(), {.metrics = false, .wants = options.wants}).gradients;
  result.means.resize(graph.variables().size());
  if (terms.options.centring > 0.0) {
    // What grad returned may be shared between parameters; what is overwritten must not be.
    for (Gradient& gradient : result.gradients) {
      if (gradient.dense().rank() == 1) gradient = Gradient(gradient.dense().clone());
    }
    // d energy / d b is minus the mean of b's variable in that phase.
    const bool average = terms.options.offsets == Offsets::Average;
    const Value followed = average ? 0.5 * (data_energy + model_energy) : data_energy;
    std::vector<Value> biases;
    for (const Variable& variable : centred_variables(graph))
      biases.push_back(graph.factors<Bias>(variable).front().factor->bias().value());
    const std::vector<Value> slopes = grad(followed, biases);
    for (std::size_t i = 0; const Variable& variable : centred_variables(graph))
      result.means[static_cast<std::size_t>(variable.index)] = (-slopes[i++]).tensor();
  }
  return result;
}

}  // namespace

Contrast::Contrast(Block freed, Phase positive, Phase negative, ContrastOptions options)
    : terms_{std::move(freed), std::move(positive), std::move(negative), options} {
  if (terms_.freed.empty())
    throw Error(
        "[contrast] expected a variable that the negative phase frees, received none; name it, as in {v}");
  if (!(options.centring >= 0.0 && options.centring <= 1.0))
    throw Error(fmt::format("[contrast] expected a centring rate in [0, 1], received {}", options.centring));
  if (!(options.sparsity.cost >= 0.0) || !std::isfinite(options.sparsity.target))
    throw Error(
        fmt::format("[contrast] expected a sparsity cost >= 0 and a finite target, received {} and {}",
                    options.sparsity.cost, options.sparsity.target));
  if (options.sparsity.cost > 0.0 && std::holds_alternative<Chains>(terms_.positive)) {
    throw Error(
        "[contrast] expected a positive phase that is exact or by mean field with sparsity, received chains; "
        "switch it off");
  }
  const auto* chains = std::get_if<Chains>(&terms_.positive);
  if (chains != nullptr && chains->options.fast_rate > 0.0)
    throw Error("[contrast] expected fast weights in the negative phase, received them in the positive one");
}

Contrast::Contrast(Block freed, Phase negative, ContrastOptions options)
    : Contrast(std::move(freed), Exact{}, std::move(negative), options) {}

std::string Contrast::name() const {
  const Chains* chains = terms_.chains();
  if (!std::holds_alternative<Exact>(terms_.positive)) return "contrast";
  if (std::holds_alternative<Exact>(terms_.negative)) return "exact";
  if (chains == nullptr || chains->transition->gibbs_blocks() == nullptr) return "contrast";
  return fmt::format("{}{}cd-{}", chains->options.fast_rate > 0.0 ? "f" : "",
                     chains->options.persistent != 0 ? "p" : "", chains->options.steps);
}

Rules Contrast::rules(const FactorGraph& graph) const {
  Rules all = graph.rules();
  if (recognised(graph, terms_)) {
    all.emplace_back("bipartite");
  } else if (recognised_layers(graph, terms_)) {
    all.emplace_back("layered");
  } else if (recognised_steps(graph, terms_)) {
    all.emplace_back("step_bipartite");
  } else if (terms_.chains() != nullptr) {
    const Rules moves = terms_.chains()->transition->rules(graph);
    all.insert(all.end(), moves.begin(), moves.end());
  }
  return all;
}

HeldLoss Contrast::held_loss(const FactorGraph& graph, std::span<const State> batches, const Carry& carry,
                             Key key) const {
  if (terms_.options.centring > 0.0)
    return {.why_none = "centring turns the gradient, which is then that of no loss"};
  PhaseCall freed = freed_of(graph, terms_, batches.front(), key);
  const PhaseCall given = given_of(freed);
  Carry passing = copied(carry);
  if (terms_.chains() != nullptr && terms_.chains()->options.fast_rate > 0.0) {
    const std::vector<Parameter> parameters = graph.parameters();
    const std::vector<Tensor> fast = fast_weights(passing, parameters);
    for (std::size_t i = 0; i < fast.size(); ++i)
      freed.moving.push_back((parameters[i].value().detached() + Value(fast[i])).tensor());
  }
  const auto [data, model] = both_states(graph, terms_, given, freed, passing);
  return {.value = [this, &graph, given, freed, at_data = data, at_model = model] {
    double loss = mean(phase_energy(terms_.positive, graph, given, at_data)).item() -
                  mean(phase_energy(terms_.negative, graph, freed, at_model)).item();
    if (const double cost = terms_.options.sparsity.cost; cost > 0.0) {
      for (const Value& excess : sparsity_excess(terms_, graph, freed.latents, at_data))
        loss += 0.5 * cost * sum(square(excess)).item();
    }
    return loss;
  }};
}

Evaluation Contrast::evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                              EvaluateOptions options) const {
  const std::vector<Parameter> parameters = graph.parameters();
  const double fast_rate = terms_.chains() != nullptr ? terms_.chains()->options.fast_rate : 0.0;
  const double centring = terms_.options.centring;
  if (centring > 0.0) centred_variables(graph);  // throws where a Bias is missing
  PhaseCall freed = freed_of(graph, terms_, batch, key);
  std::vector<Tensor> fast;
  if (fast_rate > 0.0) fast = fast_weights(carry, parameters);
  for (std::size_t i = 0; i < fast.size(); ++i) {
    const Tensor& own = parameters[i].tensor();
    const Tensor& sum = scratch_.get("moving." + parameters[i].name(), own.shape(), own.placement());
    sum.copy_from(own);
    backend(sum.device()).axpby(sum.dtype(), 1.0, fast[i].data(), 1.0, sum.data(), sum.size());
    freed.moving.push_back(sum);
  }

  // Centring and fast weights read every gradient.
  const std::vector<bool> wants = options.wants;
  if (centring > 0.0 || fast_rate > 0.0) options.wants.clear();
  // Lengths are a matter of the energy, which says whether it knows them.
  const std::optional<Bipartite> pattern =
      batch.context().lengths.defined() ? std::nullopt : recognised(graph, terms_);
  const std::optional<Layered> layers =
      pattern || batch.context().lengths.defined() ? std::nullopt : recognised_layers(graph, terms_);
  const std::optional<StepBipartite> steps = pattern ? std::nullopt : recognised_steps(graph, terms_);
  ContrastStatistics found =
      pattern && freed.latents.size() == 1
          ? bipartite_divergence(graph, *pattern, terms_, freed, carry, options, scratch_)
      : layers && freed.latents.size() + 1 == layers->count()
          ? layered_divergence(graph, *layers, terms_, freed, carry, options, scratch_)
      : steps && freed.latents.size() == 1 ? step_divergence(graph, *steps, terms_, freed, options)
                                           : derived(graph, terms_, freed, carry, options);
  std::vector<Tensor> means = found.means;
  std::erase_if(means, [](const Tensor& mean) { return !mean.defined(); });
  reduce(options, parameters, found.gradients, std::move(means), batch.batch());
  if (centring > 0.0)
    centre(graph, slide_offsets(graph, found.means, carry, centring), found.gradients, scratch_);
  for (std::size_t i = 0; i < fast.size(); ++i) {
    Gradient& gradient = found.gradients[i];
    if (!gradient.products().empty()) {
      // Fast weights and the optimizer both take it: multiplied out, it costs its products once.
      const Tensor& whole =
          scratch_.get("whole." + parameters[i].name(), fast[i].shape(), fast[i].placement());
      gradient.accumulate(whole, 1.0, 0.0);
      gradient = Gradient(whole);
    }
    // fast <- 19/20 fast - rate * gradient (Tieleman, Hinton 2009, section 4).
    gradient.accumulate(fast[i], -fast_rate, 19.0 / 20.0);
  }
  for (std::size_t i = 0; i < wants.size(); ++i) {
    if (!wants[i]) found.gradients[i] = Gradient();
  }
  Evaluation evaluation{std::move(found.gradients), {}};
  if (options.metrics) {
    evaluation.metrics["loss"] = found.loss;
    measure(terms_, graph, freed.latents, batch, found.data, evaluation.metrics);
    if (terms_.chains() != nullptr && !found.model.empty()) {
      for (const auto& [name, rows] : terms_.chains()->transition->info(found.model))
        evaluation.metrics[name] = mean(rows.detached()).item();
    }
  }
  return evaluation;
}

}  // namespace basin

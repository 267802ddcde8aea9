#include "energy/objectives/labels/label_loss.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autograd/ops.h"
#include "energy/demanded.h"
#include "energy/eliminate/eliminate.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/enumerate.h"
#include "energy/objectives/contrast/persistent_chains.h"
#include "energy/objectives/labels/coupled_label.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Kind = LabelLoss::Kind;

void require_label(const Variable& label) {
  if (label.domain == Domain::Categorical && label.shape.size() == 1 && label.shape[0] >= 2) return;
  throw Error(
      fmt::format("[label_loss] expected a one-hot label of shape [K], received {}, {} of shape {}; name the "
                  "variable of the label",
                  label.name, to_string(label.domain), to_string(label.shape)));
}

/// E_y and E_o of each sample, [N].
struct Answers {
  Value correct, offending;
};

Answers answers_of(const Value& energies, const Value& y) {
  // The correct answer's energy is replaced by infinity, which no minimum takes.
  const Value guard = (y - 0.5) * std::numeric_limits<double>::infinity();
  return {.correct = sum(energies * y, {1}), .offending = -max(-maximum(energies, guard), 1)};
}

/// The loss of each sample, [N].
Value loss_of(Kind kind, const LabelLossOptions& options, const Value& energies, const Value& y,
              const Answers& answers) {
  const auto& [margin, beta, latents, fuse] = options;
  const auto& [correct, offending] = answers;
  switch (kind) {
    case Kind::Energy:
      return correct;
    case Kind::Perceptron:
      return correct + max(-energies, 1);
    case Kind::Hinge:
      return relu(margin + (correct - offending));
    case Kind::MultiClassMargin: {
      const Value every = relu(margin + (reshape(correct, {correct.dim(0), 1}) - energies));
      return sum(every * (1.0 - y), {1});
    }
    case Kind::Log:
      return softplus(correct - offending);
    case Kind::Lvq2:
      return margin - relu(margin - relu(correct - offending));
    case Kind::Mce:
      return sigmoid(correct - offending);
    case Kind::SquareSquare:
      return square(correct) + square(relu(margin - offending));
    case Kind::SquareExponential:
      return square(correct) + beta * exp(-offending);
    case Kind::Nll:
      return correct + log_sum_exp(-beta * energies, 1) / beta;
    case Kind::Mee:
      return 1.0 - exp(-(beta * correct) - log_sum_exp(-beta * energies, 1));
    case Kind::OneAgainstAll:
      return sum(relu(margin + (2.0 * y - 1.0) * energies), {1});
    case Kind::SquaredOneAgainstAll:
      return sum(square(relu(margin + (2.0 * y - 1.0) * energies)), {1});
    case Kind::Squared:
      break;
  }
  return 0.5 * sum(square(energies + y), {1});
}

/// Labels that are not one-hot would be counted in parts.
void require_one_hot(const Variable& label, const Value& y) {
  demand_none(
      "label_loss " + label.name, abs(y.detached() - largest(y, 1)),
      fmt::format(
          "[label_loss] expected one-hot values of {}, received others; bind the labels' column to it",
          label.name));
}

/// Whether one expansion of the energy gives that of every answer.
bool is_one_expansion(const FactorGraph& graph, const Variable& label, const State& batch) {
  const Block absent = missing(graph.variables(), batch);
  return std::all_of(absent.begin(), absent.end(), [&](const Variable& z) { return z == label; }) &&
         stays_apart(graph, {label}, batch);
}

Value from_one_expansion(const FactorGraph& graph, const Variable& label, const State& batch) {
  const Expansion expansion = expand(graph, {label}, batch);
  return reshape(expansion.energy, {expansion.energy.dim(0), 1}) - expansion.drive.front();
}

/// From K rows a sample, an answer in each.
Value from_every_answer(const FactorGraph& graph, const Variable& label, const State& batch,
                        Elimination latents) {
  const Index answers = label.shape[0];
  const Value each = enumerate_states({label}, 0, answers, batch.placement())[label];
  State all = replicated(graph, batch, answers);
  all.set(label,
          reshape(broadcast_to(each, {batch.batch(), answers, answers}), {batch.batch() * answers, answers}));
  const Block absent = missing(graph.variables(), all);
  const Value energy =
      latents == Elimination::Sum ? free_energy(graph, absent, all) : min_energy(graph, absent, all);
  return reshape(energy, {batch.batch(), answers});
}

/// The same, by the rule where it recognises the graph.
Value with_latents(const FactorGraph& graph, const Variable& label, const State& batch, Elimination latents,
                   Fuse fuse) {
  if (fuse == Fuse::Auto && latents == Elimination::Sum) {
    const auto pattern = recognise_coupled_label(graph, label);
    if (pattern && holds_for(*pattern, graph, label, batch))
      return coupled_label_energies(graph, label, *pattern, batch);
  }
  return from_every_answer(graph, label, batch, latents);
}

}  // namespace

Value label_energies(const FactorGraph& graph, const Variable& label, const State& batch, Elimination latents,
                     Fuse fuse) {
  require_label(label);
  return is_one_expansion(graph, label, batch) ? from_one_expansion(graph, label, batch)
                                               : with_latents(graph, label, batch, latents, fuse);
}

LabelLoss::LabelLoss(Variable label, Kind kind, LabelLossOptions options)
    : label_(std::move(label)), kind_(kind), options_(options) {
  require_label(label_);
  if (!(options.margin >= 0.0 && std::isfinite(options.margin) && options.beta > 0.0 &&
        std::isfinite(options.beta))) {
    throw Error(fmt::format("[label_loss] expected margin >= 0 and beta > 0, received {} and {}",
                            options.margin, options.beta));
  }
}

std::string LabelLoss::unit() const {
  if (kind_ == Kind::Mce || kind_ == Kind::Mee) return "1";
  return kind_ == Kind::Nll && options_.beta == 1.0 ? "nats" : "energy";
}

std::string LabelLoss::name() const { return label_losses()[static_cast<std::size_t>(kind_)]; }

Evaluation LabelLoss::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/, Key /*key*/,
                               EvaluateOptions options) const {
  if (!batch.has(label_)) {
    throw Error(fmt::format(
        "[label_loss] expected the batch to hold {}, received none; bind a column of the data to it",
        label_.name));
  }
  const Value& y = batch[label_];
  if (options.metrics) require_one_hot(label_, y);
  const Value energies = is_one_expansion(graph, label_, batch)
                             ? from_one_expansion(graph, label_, observed(graph, {label_}, batch, options))
                             : with_latents(graph, label_, batch, options_.latents, options_.fuse);
  const Answers answers = answers_of(energies, y);
  Evaluation evaluation =
      differentiate(mean(loss_of(kind_, options_, energies, y, answers)), graph, batch.batch(), options);
  if (options.metrics) {
    const Value gap = answers.correct.detached() - answers.offending.detached();
    evaluation.metrics["energy_gap"] = mean(gap).item();
    evaluation.metrics["error"] = 1.0 - mean(step(-gap)).item();
  }
  return evaluation;
}

Rules LabelLoss::rules(const FactorGraph& graph) const {
  Rules all = graph.rules();
  if (options_.fuse == Fuse::Auto && options_.latents == Elimination::Sum &&
      recognise_coupled_label(graph, label_)) {
    all.emplace_back("coupled_label");
  }
  return all;
}

const std::vector<std::string>& label_losses() {
  static const std::vector<std::string> names = {
      "energy", "perceptron", "hinge",           "multi_class_margin",     "log",
      "lvq2",   "mce",        "square_square",   "square_exponential",     "nll",
      "mee",    "squared",    "one_against_all", "squared_one_against_all"};
  return names;
}

LabelLoss::Kind label_loss(std::string_view name) {
  const auto& names = label_losses();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw Error(fmt::format("[label_loss] expected one of {}, received '{}'", fmt::join(names, ", "), name));
  return static_cast<LabelLoss::Kind>(found - names.begin());
}

bool has_margin(LabelLoss::Kind kind) {
  return kind == Kind::Hinge || kind == Kind::MultiClassMargin || kind == Kind::Lvq2 ||
         kind == Kind::SquareSquare || kind == Kind::OneAgainstAll || kind == Kind::SquaredOneAgainstAll;
}

bool has_beta(LabelLoss::Kind kind) {
  return kind == Kind::SquareExponential || kind == Kind::Nll || kind == Kind::Mee;
}

}  // namespace basin

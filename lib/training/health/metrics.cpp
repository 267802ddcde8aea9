#include <fmt/format.h>

#include <cmath>

#include "training/health/checks.h"
#include "training/measures/classification.h"

namespace basin {
namespace {

/// The numbers of an epoch's metric, epoch after epoch; null where nobody measured it.
const std::vector<double>* column(const History& history, const std::string& name) {
  const auto& columns = history.epochs().columns;
  const auto found = columns.find(name);
  return found == columns.end() ? nullptr : &found->second;
}

}  // namespace

double last_of(const History& history, const std::string& metric) {
  const std::vector<double>* numbers = column(history, metric);
  return numbers == nullptr || std::isnan(numbers->back()) ? 0.0 : numbers->back();
}

std::string check_diverged(const HealthView& at, const HealthOptions& options) {
  const Stage& stage = at.view.stage;
  const bool is_classifier = stage.facets.get<Classifier>() != nullptr && stage.inputs.size() == 2;
  // A sum of several objectives reads batches of its own, and its loss is not that of the labels.
  if (!is_classifier || stage.further || at.history.unit("loss") != "nats") return "";
  const Variable& label = stage.inputs[1].variable;
  if (label.domain != Domain::Categorical || label.shape.size() != 1) return "";
  const double guess = std::log(static_cast<double>(label.shape[0])), loss = last_of(at.history, "loss");
  if (!(loss > options.diverged * guess)) return "";
  return fmt::format(
      "after epoch {} the loss is {:.4g} nats, where taking all {} classes for equally likely gives {:.3g}: "
      "the "
      "training has diverged; lower optimizer.learning_rate (now {:.3g})",
      at.history.epochs().at.back(), loss, label.shape[0], guess, last_of(at.history, "learning_rate"));
}

std::string check_idle_units(const HealthView& at, const HealthOptions& options) {
  const double dead = last_of(at.history, "dead_units"), saturated = last_of(at.history, "saturated_units");
  if (dead + saturated < options.idle_units) return "";
  return fmt::format(
      "after epoch {}, {:.0f} % of the hidden units are off in every sample and {:.0f} % are on, so that "
      "they "
      "tell nothing; lower optimizer.learning_rate (now {:.3g}), tenfold to begin with, and give real "
      "samples "
      "unit variance",
      at.history.epochs().at.back(), 100.0 * dead, 100.0 * saturated, last_of(at.history, "learning_rate"));
}

std::string check_unconverged(const HealthView& at, const HealthOptions& /*options*/) {
  const double unconverged = last_of(at.history, "unconverged");
  if (!(unconverged > 0.0)) return "";
  return fmt::format(
      "inference of {:.3g} % of the samples measured in epoch {} did not converge (mean gap {:.2g}); raise "
      "inference.max_steps or inference.tolerance",
      100.0 * unconverged, at.history.epochs().at.back(), last_of(at.history, "gap"));
}

std::string check_bracket(const HealthView& at, const HealthOptions& options) {
  for (const char* part : {"train", "validation", "test"}) {
    const std::vector<double>* low = column(at.history, std::string("log_likelihood_low_") + part);
    const std::vector<double>* high = column(at.history, std::string("log_likelihood_high_") + part);
    if (low == nullptr || high == nullptr) continue;
    const double now = high->back() - low->back(), first = high->front() - low->front();
    if (!(now > options.bracket && now > first)) continue;
    return fmt::format(
        "after epoch {} the log-likelihood of {} samples lies somewhere between {:.4g} and {:.4g} nats, "
        "where "
        "after epoch {} it was known to {:.3g} nats: the model has become one whose log Z annealing cannot "
        "follow; lower optimizer.learning_rate, take more train.steps, or raise "
        "evaluate.brackets.temperatures",
        at.history.epochs().at.back(), part, low->back(), high->back(), at.history.epochs().at.front(),
        first);
  }
  return "";
}

}  // namespace basin

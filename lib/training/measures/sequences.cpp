#include "training/measures/sequences.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "autograd/ops.h"
#include "energy/objectives/sequence_energy.h"
#include "modules/lengths.h"
#include "training/measures/made_up.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kTogether = 50;  // sequences that are evaluated at once, where their states are not carried

/// Sums over the steps, or the samples, of a part.
struct Sums {
  double energy = 0.0, steps = 0.0;
  double wrong = 0.0, counted = 0.0;
  double squares = 0.0, samples = 0.0;
  std::vector<double> nats = {}, lengths = {};  // of each sequence, where states are not carried
};

double total(const Value& x) { return sum(x.detached()).item(); }

/// Symbols that are not the likeliest, among those that count.
void count_wrong(const SequencePredictions& how, const State& at, const Value& scores, Sums& sums) {
  const Value& y = at[how.y];
  Value counts = sum(y, {-1});  // 1 everywhere, 0 for symbols that do not count and past the ends
  if (how.ignored) counts = counts - reshape(slice(y, 2, *how.ignored, *how.ignored + 1), counts.shape());
  const Value right = sum(y * largest(scores, 1), {-1});
  const Tensor& lengths = at.context().lengths;
  if (lengths.defined()) counts = counts * Value(length_mask(lengths, counts.shape(), 1, counts.placement()));
  sums.counted += total(counts);
  sums.wrong += total(counts * (1.0 - right));
}

/// The energy of each sequence by those of its steps [N, T], and its number of steps.
void keep_each(const State& at, const Value& energies, Sums& sums) {
  const std::vector<double> nats = sum(energies.detached(), {1}).tensor().values();
  const Tensor& lengths = at.context().lengths;
  const std::vector<double> steps =
      lengths.defined() ? lengths.values()
                        : std::vector<double>(nats.size(), static_cast<double>(energies.dim(1)));
  sums.nats.insert(sums.nats.end(), nats.begin(), nats.end());
  sums.lengths.insert(sums.lengths.end(), steps.begin(), steps.end());
}

Sums sums_of(const StageView& view, const SequencePredictions& how, const Samples& samples) {
  const Stage& stage = view.stage;
  const Source source = stage_source(stage, samples);
  const Index together = how.carried ? 1 : kTogether;
  Sums sums;
  Carry carry;
  for (Index first = 0; first < source.count(); first += together) {
    const State part = samples_between(source, first, std::min(first + together, source.count()),
                                       stage.key.fold("evaluate"));
    sums.samples += static_cast<double>(part.batch());
    if (how.values) {
      sums.squares += total(square(part[how.y] - how.values->forward(part[how.x], part.context())));
      continue;
    }
    const State at = how.carried ? continued(stage.graph, part, carry) : part;
    const Value scores = how.steps->scores(at).detached();
    const Value energies = how.steps->step_energies(at, scores);
    sums.energy += total(energies);
    if (how.carried) keep_streams(stage.graph, at, carry);
    if (!how.carried) keep_each(at, energies, sums);
    sums.steps += step_count(stage.graph, at);
    if (how.y.domain == Domain::Categorical) count_wrong(how, at, scores, sums);
  }
  return sums;
}

struct Number {
  Metric metric;
  double value;
};

std::vector<Number> numbers_of(const SequencePredictions& how, const std::string& part, const Sums& sums) {
  if (how.values) return {{{fmt::format("mse_{}", part), "1", Better::Down}, sums.squares / sums.samples}};
  std::vector<Number> numbers{
      {{fmt::format("step_nats_{}", part), "nats", Better::Down}, sums.energy / sums.steps}};
  if (sums.counted > 0.0)
    numbers.push_back({{fmt::format("step_error_{}", part), "1", Better::Down}, sums.wrong / sums.counted});
  return numbers;
}

Monitor monitor(const StageView& view) {
  need<SequencePredictions>(view.stage, "sequences");
  return [view] {
    const auto& how = need<SequencePredictions>(view.stage, "sequences");
    const auto& [samples, part] = watched(view);
    std::map<std::string, double> metrics;
    for (const Number& number : numbers_of(how, part, sums_of(view, how, samples)))
      metrics[number.metric.name] = number.value;
    return metrics;
  };
}

std::string evaluate(const StageView& view, Store& store) {
  const auto& how = need<SequencePredictions>(view.stage, "sequences");
  std::string report = "sequences   ";
  for (const auto& [part, samples] :
       {std::pair{"test", &view.data().test}, std::pair{"validation", &view.data().validation}}) {
    if (samples->count == 0) continue;
    const Sums sums = sums_of(view, how, *samples);
    if (!sums.nats.empty() && samples == &view.data().test) {
      store.put("/evaluation/test_sequence_nats", sums.nats);
      store.attribute("/evaluation/test_sequence_nats", "unit", std::string("nats"));
      store.put("/evaluation/test_sequence_steps", sums.lengths);
    }
    for (const Number& number : numbers_of(how, part, sums)) {
      put_result(store, number.metric, number.value);
      report += fmt::format(" {} {:.4g},", number.metric.name, number.value);
    }
  }
  report.back() = '\n';
  if (how.written == 0) return report;
  const auto names = view.data().class_names.find(view.data().train.first().name());
  std::string text;
  make_up_symbols(view.stage, how, how.written, view.stage.key.fold("text"), [&](std::size_t symbol) {
    text += names != view.data().class_names.end() ? names->second[symbol] : fmt::format("{} ", symbol);
  });
  store.put_text("/evaluation/text", text);
  return report + "text\n" + text + "\n";
}

}  // namespace

Measure sequences_measure() {
  return {.name = "sequences",
          .metrics = {{"step_nats_validation", "nats", Better::Down},
                      {"step_nats_test", "nats", Better::Down},
                      {"step_error_validation", "1", Better::Down},
                      {"step_error_test", "1", Better::Down},
                      {"mse_validation", "1", Better::Down},
                      {"mse_test", "1", Better::Down}},
          .results = {"step_nats_test", "step_error_test", "mse_test"},
          .monitor = monitor,
          .evaluate = evaluate};
}

}  // namespace basin

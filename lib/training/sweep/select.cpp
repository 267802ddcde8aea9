#include "training/sweep/select.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <set>

#include "results/results_file.h"
#include "results/statistics.h"
#include "tensor/error.h"
#include "training/experiment/plan.h"
#include "training/sweep/result.h"

namespace basin {
namespace {

std::vector<std::int64_t> read_seeds(const Config& table) {
  std::set<double> seen;
  std::vector<std::int64_t> seeds;
  constexpr double kMost = 9007199254740992.0;  // 2^53: whole numbers up to it are doubles
  for (const double seed : table.numbers("seeds", std::vector<double>{})) {
    if (!(seed >= 0.0 && seed <= kMost) || seed != std::floor(seed) || !seen.insert(seed).second)
      table.fail("seeds", fmt::format("expected whole numbers of at least 0, none twice, received {}", seed));
    seeds.push_back(static_cast<std::int64_t>(seed));
  }
  if (table.has("seeds") && seeds.empty()) table.fail("seeds", "expected at least one seed, received none");
  return seeds;
}

}  // namespace

Selection read_selection(const Config& table) {
  Selection selection;
  selection.metric = table.text("metric");
  for (const char* part : {"test", "train"}) {
    if (is_of(selection.metric, part))
      table.fail("metric", fmt::format("expected a metric of validation samples, received '{}': the {} "
                                       "samples choose nothing; take \"validation_error\"",
                                       selection.metric, part));
  }
  selection.retrain = table.choice("retrain", {"all", "train"}, "all") == "all" ? Selection::Retrain::All
                                                                                : Selection::Retrain::Train;
  selection.seeds = read_seeds(table);
  selection.each = table.texts("each", std::vector<std::string>{});
  selection.place = table.place() + ": [select]";
  table.finish();
  return selection;
}

void Trial::add(const Store& results, const Selection& selection) {
  const std::optional<Result> found = find_result(results, selection.metric);
  if (!found || found->better == Better::Neither) {
    throw Error(fmt::format(
        "{}: expected a metric of which more or less is better, received '{}'; the trials have {}",
        selection.place, selection.metric, fmt::join(result_names(results), ", ")));
  }
  seeds.push_back(results.integer("/experiment/seed"));
  values.push_back(found->value);
  better = found->better;
  train_seconds += basin::train_seconds(results);
  for (const std::string& stage : stage_names(results)) {
    const std::string path = stage_group(stage) + "/checkpoint/chosen_epoch";
    if (!results.has(path)) continue;
    const std::string table = stage == kOnlyStage ? "train"
                              : stage == kHead    ? "fine_tune"
                                                  : fmt::format("stages.{}.train", stage);
    epochs[table].push_back(static_cast<double>(results.integer(path)));
  }
}

Settings settings_of_each(const std::vector<Trial>& choice, const Selection& selection) {
  Settings settings;
  std::ranges::copy_if(choice.front().settings, std::back_inserter(settings), [&](const Setting& setting) {
    return std::ranges::find(selection.each, setting.path) != selection.each.end();
  });
  return settings;
}

std::vector<std::vector<Trial>> choices_of(const std::vector<Trial>& trials, const Selection& selection) {
  std::vector<std::vector<Trial>> choices;
  const auto name = [&](const std::vector<Trial>& choice) {
    return text_of(settings_of_each(choice, selection));
  };
  for (const Trial& trial : trials) {
    auto own = std::ranges::find(choices, name({trial}), name);
    if (own == choices.end()) own = choices.emplace(own);
    own->push_back(trial);
  }
  return choices;
}

std::size_t best_trial(const std::vector<Trial>& trials, const Selection& selection) {
  std::size_t best = trials.size();
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (!trials[i].failure.empty() || trials[i].values.empty()) continue;
    const double mean = mean_of(trials[i].values);
    const double cost = trials[i].better == Better::Up ? -mean : mean;
    if (!(cost < least)) continue;
    least = cost;
    best = i;
  }
  if (best == trials.size())
    throw Error(
        fmt::format("{}: expected a trial whose runs are all complete with a finite {}, received none of {}",
                    selection.place, selection.metric, trials.size()));
  return best;
}

Settings chosen_epochs(const Trial& trial) {
  Settings settings;
  for (const auto& [table, epochs] : trial.epochs) {
    Node after = Node::of(std::max<std::int64_t>(1, std::llround(mean_of(epochs))));
    after.key = "after";
    Node stop = Node::table();
    stop.children.push_back(std::move(after));
    settings.push_back({table + ".stop", std::move(stop)});
    settings.push_back({table + ".keep", Node::of(std::string("last"))});
  }
  return settings;
}

void write_selection(Store& results, const Selection& selection, const std::vector<Trial>& trials,
                     std::size_t chosen) {
  results.remove("/select");
  std::vector<std::string> settings, failures;
  std::vector<double> means, deviations;
  std::vector<std::int64_t> seeds;
  double seconds = 0.0;
  for (const Trial& trial : trials) {
    seconds += trial.train_seconds;
    const bool is_complete = trial.failure.empty();
    settings.push_back(text_of(trial.settings));
    failures.push_back(trial.failure);
    means.push_back(is_complete ? mean_of(trial.values) : mean_of({}));
    deviations.push_back(is_complete ? deviation_of(trial.values) : deviation_of({}));
    if (trial.seeds.size() > seeds.size()) seeds = trial.seeds;
  }
  results.put_text("/select/metric", selection.metric);
  results.put_texts("/select/settings", settings);
  results.put("/select/mean", means);
  results.put("/select/deviation", deviations);
  results.put("/select/seeds", seeds);
  results.put_texts("/select/failure", failures);
  results.put_integer("/select/chosen", static_cast<std::int64_t>(chosen));
  results.put_number("/time/select_seconds", seconds);
  results.attribute("/time/select_seconds", "unit", std::string("s"));
}

}  // namespace basin
